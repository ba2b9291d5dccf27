"""Draws a scene with moderngl on EGL (llvmpipe on a machine without a GPU): colour, horse ids and depth in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import moderngl
import numpy as np
import numpy.typing as npt

from training.synthetic import shaders
from training.synthetic.geometry import Props
from training.synthetic.model import REGIONS, HorseModel
from training.synthetic.rig import Floats
from training.synthetic.textures import SURFACES, bake_surface, noise_volume
from training.synthetic.view import FAR, NEAR, Camera, Light, PlacedHorse, Rendered

SHADOW_SIZE = 1024
CUT_OUTS = ("tree", "conifer")
FLOORS = ("straw", "grass", "sand", "concrete", "rubber")


class Batch:
    """Props of one surface on the device; the vertex array of each program that draws them is made once."""

    def __init__(self, surface: str, buffer: moderngl.Buffer, casts: bool) -> None:
        self.surface, self.casts = surface, casts
        self._buffer = buffer
        self._arrays: dict[moderngl.Program, moderngl.VertexArray] = {}

    def render(self, context: moderngl.Context, program: moderngl.Program, layout: str, *fields: str) -> None:
        """Draw with a program that reads these fields."""
        if program not in self._arrays:
            self._arrays[program] = context.vertex_array(program, [(self._buffer, layout, *fields)])
        self._arrays[program].render()

    def release(self) -> None:
        """Free the device's memory."""
        for array in self._arrays.values():
            array.release()
        self._buffer.release()


@dataclass(frozen=True)
class Uploaded:
    """Props already on the device, for a set that stays while the horses move."""

    batches: tuple[Batch, ...]
    corners: Floats
    """Of each batch's bounding box, (batches, 8, 3)."""

    def release(self) -> None:
        """Free the device's memory."""
        for batch in self.batches:
            batch.release()

    def within(self, camera: Camera, box: tuple[int, int, int, int]) -> list[Batch]:
        """The batches whose bounding boxes can touch ``box`` of the picture."""
        pixels, depth = camera.project(self.corners.reshape(-1, 3))
        pixels, depth = pixels.reshape(-1, 8, 2), depth.reshape(-1, 8)
        low, high = pixels.min(1), pixels.max(1)
        touches = (high >= [box[0], box[1]]).all(1) & (low <= [box[2], box[3]]).all(1)
        return [self.batches[k] for k in np.flatnonzero((depth < 0.15).any(1) | touches)]


@dataclass(frozen=True)
class Patch:
    """Draw only ``box`` (x0, y0, x1, y1 in whole pixels, multiples of 4) and take the rest from ``base``."""

    base: Rendered
    box: tuple[int, int, int, int]


class Renderer:
    """One OpenGL context; draws any number of scenes."""

    def __init__(self, model: HorseModel, supersample: float = 2.0, shadow_size: int = SHADOW_SIZE) -> None:
        self._context = moderngl.create_standalone_context(backend="egl")  # type: ignore[arg-type]  # the stub calls all further names dicts
        self._supersample = supersample
        c = self._context
        self._programs: dict[tuple[str, ...], moderngl.Program] = {}
        self._arrays: dict[tuple[str, ...], moderngl.VertexArray] = {}
        self._prop_depth = c.program(vertex_shader=shaders.DEPTH_PROP_VERTEX, fragment_shader=shaders.SHADOW_HORSE_FRAGMENT)
        self._horse_shadow = c.program(vertex_shader=shaders.SHADOW_HORSE_VERTEX, fragment_shader=shaders.SHADOW_HORSE_FRAGMENT)
        self._prop_shadow = c.program(vertex_shader=shaders.SHADOW_PROP_VERTEX, fragment_shader=shaders.SHADOW_PROP_FRAGMENT)
        volume = noise_volume()
        self._noise = c.texture3d(volume.shape[::-1], 1, volume.tobytes())
        self._noise.repeat_x = self._noise.repeat_y = self._noise.repeat_z = True
        self._noise.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._surfaces: dict[str, moderngl.Texture] = {}
        self._shadow = c.depth_texture((shadow_size, shadow_size))
        self._shadow.compare_func = "<="
        self._shadow_target = c.framebuffer(depth_attachment=self._shadow)
        self._targets: dict[tuple[int, int], moderngl.Framebuffer] = {}
        self._load(model)

    def _load(self, model: HorseModel) -> None:
        mesh = model.fine
        names = model.rig.names
        dense = np.zeros((len(mesh.points), len(names)))
        np.add.at(dense, (np.arange(len(mesh.points))[:, None], mesh.joints), mesh.weights)
        head = dense[:, [i for i, n in enumerate(names) if n == "Head"]].sum(1)
        ears = dense[:, [i for i, n in enumerate(names) if n.startswith("Ear")]].sum(1)
        legs = dense[:, [i for i, n in enumerate(names) if "Leg" in n or n.startswith("FF")]].sum(1)
        region = {name: mesh.regions[:, k] for k, name in enumerate(REGIONS)}
        regions = np.stack([region["Hair"], region["Hooves"], region["Muzzle"], region["Eye_Black"] + region["Eye_White"]], 1)
        zones = np.stack([np.clip(head + ears, 0, 1), legs, ears, region["Main_Light"]], 1)
        data = np.concatenate([mesh.points, mesh.normals(), mesh.joints, mesh.weights, regions, zones, mesh.points], 1).astype(
            "f4"
        )
        vertices, index = self._context.buffer(data.tobytes()), self._context.buffer(mesh.faces.astype("i4").tobytes())
        fields = ("in_position", "in_normal", "in_joints", "in_weights", "in_region", "in_zone", "in_coat")
        self._horse_parts = ([(vertices, "3f 3f 4f 4f 4f 4f 3f", *fields)], index)
        low = model.middle
        data = np.concatenate([low.points, low.normals(), low.joints, low.weights], 1).astype("f4")
        self._horse_shadow_array = self._context.vertex_array(
            self._horse_shadow,
            [(self._context.buffer(data.tobytes()), "3f 3f 4f 4f", *fields[:4])],
            self._context.buffer(low.faces.astype("i4").tobytes()),
        )

    def _program(self, kind: str, light: Light, *names: str) -> moderngl.Program:
        """The program for horses ("horse") or props ("prop") under this light, compiled when first needed."""
        switches = [*names]
        if float(light.sun.max()) > 0:
            switches.append("SUN")
        if float(light.lamp.max()) > 0:
            switches.append("LAMP")
        key = (kind, *switches)
        if key not in self._programs:
            vertex, fragment = (
                (shaders.HORSE_VERTEX, shaders.HORSE_FRAGMENT)
                if kind == "horse"
                else (shaders.PROP_VERTEX, shaders.PROP_FRAGMENT)
            )
            self._programs[key] = self._context.program(
                vertex_shader=vertex, fragment_shader=shaders.variant(fragment, *switches)
            )
            if kind == "horse":
                self._arrays[key] = self._context.vertex_array(self._programs[key], *self._horse_parts)
        return self._programs[key]

    def upload(self, props: Props) -> Uploaded:
        """Keep props on the device for many pictures; large groups are cut into tiles so that far ones can be skipped."""
        batches, corners = [], []
        for (surface, casts), rows in props.arrays().items():
            for tile in _tiles(rows):
                batches.append(Batch(surface, self._context.buffer(tile.astype("f4").tobytes()), casts))
                low, high = tile[:, :3].min(0), tile[:, :3].max(0)
                corners.append(
                    np.array(
                        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])], float
                    )
                )
        return Uploaded(tuple(batches), np.array(corners).reshape(-1, 8, 3))

    def draw(
        self,
        camera: Camera,
        light: Light,
        props: Props | Uploaded,
        horses: list[PlacedHorse],
        contacts: Floats,
        extra: Props | None = None,
        patch: Patch | None = None,
    ) -> Rendered:
        """Draw the scene.

        ``contacts`` (n, 4): x, z, radius, strength of soft dark spots on the ground. ``extra``: props of this picture alone.
        """
        c = self._context
        passing = self._batches(props) if isinstance(props, Props) else []
        passing += self._batches(extra) if extra is not None else []
        batches = list(passing)
        if isinstance(props, Uploaded):
            batches += props.within(camera, patch.box) if patch else list(props.batches)
        c.enable(moderngl.DEPTH_TEST)
        c.depth_func = "<="
        sun_view = _sun_matrix(light.sun_direction, camera, horses)
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        if float(light.sun.max()) > 0:
            for horse in horses:
                _set(self._horse_shadow, sun_view=sun_view, inflate=0.0)
                _joints(self._horse_shadow, horse.skinning)
                self._horse_shadow_array.render()
            _set(self._prop_shadow, sun_view=sun_view, surface=0)
            for batch in batches:
                if batch.casts:
                    self._surface(batch.surface).use(0)
                    batch.render(c, self._prop_shadow, "3f 3x4 2f 4x4", "in_position", "in_uv")
        width, height = round(camera.width * self._supersample), round(camera.height * self._supersample)
        target = self._target(width, height)
        target.use()
        x0, y0, x1, y1 = patch.box if patch else (0, 0, camera.width, camera.height)
        k = self._supersample
        window = (round(x0 * k), height - round(y1 * k), round(x1 * k) - round(x0 * k), round(y1 * k) - round(y0 * k))
        target.scissor = window
        target.clear(0.0, 0.0, 0.0, 1.0)
        view, projection = camera.matrices()
        self._shadow.use(1)
        self._noise.use(2)
        spots = np.zeros((shaders.MAX_CONTACTS, 4), "f4")
        spots[: len(contacts)] = contacts[: shaders.MAX_CONTACTS]
        common = {
            "camera": projection @ view,
            "eye": camera.position,
            "sun_direction": light.sun_direction,
            "sun_colour": light.sun,
            "sky_colour": light.sky,
            "ground_colour": light.ground,
            "lamp_position": light.lamp_position,
            "lamp_colour": light.lamp,
            "lamp_axis": light.lamp_axis,
            "lamp_cone": light.lamp_cone,
            "fog_colour": light.fog_colour,
            "fog": light.fog,
            "sun_view": sun_view,
            "sun_depth": 1,
            "contact_count": min(len(contacts), shaders.MAX_CONTACTS),
        }
        programs = {
            (kind, *names): self._program(kind, light, *names)
            for kind, *names in (("horse",), ("horse", "GEAR"), ("prop",), ("prop", "GROUND"), ("prop", "CUT_OUT"))
        }
        for program in programs.values():
            _set(program, **common)
            if "contacts" in _uniforms(program):
                _write(program, "contacts", spots.tobytes())
        # Depth of everything opaque first: each pixel is then shaded once.
        target.color_mask = ((False,) * 4, (False,) * 4)  # type: ignore[assignment]  # one for each attachment
        _set(self._prop_depth, camera=projection @ view)
        for batch in batches:
            if batch.surface not in CUT_OUTS:
                batch.render(c, self._prop_depth, "3f 3x4 2x4 4x4", "in_position")
        target.color_mask = ((True,) * 4, (True,) * 4)  # type: ignore[assignment]
        c.enable(moderngl.CULL_FACE)  # a horse's far side would be shaded first and then painted over
        for horse in horses:
            self._draw_horse(horse, light)
        c.disable(moderngl.CULL_FACE)
        for batch in batches:
            self._surface(batch.surface).use(0)
            program = programs[("prop", *_kind_of(batch.surface))]
            _set(program, surface=0, glow=1.0 if batch.surface == "sky" else 0.0)
            batch.render(c, program, "3f 3f 2f 4f", "in_position", "in_normal", "in_uv", "in_tint")
        for batch in passing:
            batch.release()
        drawn = self._read(target, window, (x1 - x0, y1 - y0), light)
        if patch is None:
            return drawn
        whole = Rendered(patch.base.colour.copy(), patch.base.labels.copy(), patch.base.depth.copy())
        whole.colour[y0:y1, x0:x1], whole.labels[y0:y1, x0:x1] = drawn.colour, drawn.labels
        whole.depth[y0:y1, x0:x1] = drawn.depth
        return whole

    def _draw_horse(self, horse: PlacedHorse, light: Light) -> None:
        look = horse.look
        coat = {
            "noise": 2,
            "identity": float(horse.number),
            "infrared": 1.0 if light.infrared else 0.0,
            "body": look.body,
            "points": look.points,
            "mane": look.mane,
            "muzzle": look.muzzle,
            "white": look.white,
            "hoof": look.hoof,
            "socks": look.socks,
            "face": look.face,
            "pattern": look.pattern,
            "tone": look.tone,
            "offset": look.offset,
        }
        layers = [(0, 0.0, look.body), *look.gear_layers()]
        for names in ((), ("GEAR",)):
            program = self._program("horse", light, *names)
            array = next(a for key, a in self._arrays.items() if self._programs[key] is program)
            for layer, inflate, colour in layers[:1] if not names else layers[1:]:
                _joints(program, horse.skinning)
                _set(
                    program,
                    **coat,
                    layer=layer,
                    inflate=inflate,
                    gear=colour,
                    gear_trim=look.rug_trim,
                    gear_style=float(look.rug_style),
                )
                array.render()

    def _batches(self, props: Props) -> list[Batch]:
        return [
            Batch(surface, self._context.buffer(rows.astype("f4").tobytes()), casts)
            for (surface, casts), rows in props.arrays().items()
        ]

    def _surface(self, name: str) -> moderngl.Texture:
        if name not in self._surfaces:
            picture = bake_surface(name)
            texture = self._context.texture((picture.shape[1], picture.shape[0]), 4, np.ascontiguousarray(picture).tobytes())
            texture.build_mipmaps()
            texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
            if not SURFACES[name].tiles:
                texture.repeat_x = texture.repeat_y = False
            self._surfaces[name] = texture
        return self._surfaces[name]

    def _target(self, width: int, height: int) -> moderngl.Framebuffer:
        if (width, height) not in self._targets:
            colour = self._context.texture((width, height), 4, dtype="f2")
            label = self._context.texture((width, height), 4)
            depth = self._context.depth_texture((width, height))
            depth.compare_func = ""
            self._targets[width, height] = self._context.framebuffer([colour, label], depth)
        return self._targets[width, height]

    def _read(
        self, target: moderngl.Framebuffer, window: tuple[int, int, int, int], size: tuple[int, int], light: Light
    ) -> Rendered:
        shape = (window[3], window[2])

        def grab(components: int, attachment: int, dtype: str, kind: type) -> npt.NDArray[Any]:
            data = target.read(window, components=components, attachment=attachment, dtype=dtype, alignment=1)
            return np.frombuffer(data, kind).reshape(*shape, -1)[::-1]

        colour = grab(3, 0, "f2", np.float16).astype(np.float32)
        label, raw = grab(1, 1, "f1", np.uint8)[:, :, 0], grab(1, -1, "f4", np.float32)[:, :, 0]
        empty = raw >= 1.0
        if empty.any():
            colour[empty] = light.fog_colour
        near, far = NEAR, FAR
        z = cv2.resize(raw, size, interpolation=cv2.INTER_NEAREST) * 2 - 1
        depth = 2 * near * far / (far + near - z * (far - near))
        np.nan_to_num(colour, copy=False, nan=0.0, posinf=2.0)
        shown = cv2.resize(np.minimum(colour, 2.0), size, interpolation=cv2.INTER_AREA)
        labels = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
        return Rendered(np.asarray(shown, np.float32), np.asarray(labels, np.uint8), np.asarray(depth, np.float32))


def _sun_matrix(direction: Floats, camera: Camera, horses: list[PlacedHorse]) -> Floats:
    """An orthographic view from the sun, centred on the horses (or on the camera's target)."""
    centres = [h.skinning[1] @ np.array([0.0, 1.2, 0.0, 1.0]) for h in horses]
    if centres:
        middle = np.mean([p[:3] for p in centres], axis=0)
        reach = max(float(np.linalg.norm(p[:3] - middle)) for p in centres) + 3.2
    else:
        middle, reach = camera.target, 5.0
    reach = min(reach, 14.0)
    up = np.array([0.0, 1.0, 0.0]) if abs(direction[1]) < 0.98 else np.array([1.0, 0.0, 0.0])
    right = np.cross(up, direction)
    right /= np.linalg.norm(right)
    top = np.cross(direction, right)
    matrix = np.eye(4)
    matrix[0, :3], matrix[1, :3], matrix[2, :3] = right / reach, top / reach, -direction / 30.0
    matrix[:3, 3] = -matrix[:3, :3] @ middle
    return matrix


def _tiles(rows: Floats, limit: int = 4000, edge: float = 1.6) -> list[Floats]:
    """Triangle rows, cut by the floor tile their first corner lies on when there are many."""
    if len(rows) < limit:
        return [rows]
    first = rows[::3]
    keys = np.floor(first[:, [0, 2]] / edge).astype(np.int64)
    _, group = np.unique(np.clip(keys, -8, 8), axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    cuts = np.flatnonzero(np.diff(group.ravel()[order])) + 1
    triangles = rows.reshape(-1, 3, rows.shape[1])
    return [part.reshape(-1, rows.shape[1]) for part in np.split(triangles[order], cuts)]


def _kind_of(surface: str) -> tuple[str, ...]:
    """The switches of the program that draws a surface."""
    if surface in CUT_OUTS:
        return ("CUT_OUT",)
    return ("GROUND",) if surface in FLOORS else ()


@cache
def _uniforms(program: moderngl.Program) -> frozenset[str]:
    """Names a program has: asking it goes through all of them each time."""
    return frozenset(program)


def _write(program: moderngl.Program, name: str, data: bytes) -> None:
    uniform = program[name]
    assert isinstance(uniform, moderngl.Uniform)
    uniform.write(data)


def _joints(program: moderngl.Program, skinning: Floats) -> None:
    packed = np.zeros((shaders.MAX_JOINTS, 4, 4), "f4")
    packed[: len(skinning)] = skinning.transpose(0, 2, 1)
    _write(program, "joints", packed.tobytes())


def _set(program: moderngl.Program, **values: object) -> None:
    known = _uniforms(program)
    for name, value in values.items():
        if name not in known:
            continue
        if isinstance(value, np.ndarray):
            data = value.T if value.ndim == 2 else value
            _write(program, name, np.ascontiguousarray(data, dtype="f4").tobytes())
        else:
            uniform = program[name]
            assert isinstance(uniform, moderngl.Uniform | moderngl.UniformBlock)
            uniform.value = value
