"""What the rendered scenes promise: boxes, masks and joints agree, and left and right are the horse's own."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("moderngl")
DATA = Path(__file__).parents[2].parent / "shared" / "data"
MODEL = DATA / "models3d" / "Horse.glb"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not MODEL.is_file(), reason="needs ../shared/data/models3d/Horse.glb"),
]


@pytest.fixture(scope="module")
def studio():
    from training.synthetic.studio import Studio

    return Studio(DATA, 1.0, 1)


@pytest.fixture(scope="module")
def side_view(studio):
    """A function: the truth of a plain bay horse at a walk, seen from its left (1) or its right (-1)."""
    from training.synthetic.gaits import GAITS, Stride, moving
    from training.synthetic.geometry import Props
    from training.synthetic.lighting import make_light
    from training.synthetic.looks import random_look
    from training.synthetic.studio import Actor
    from training.synthetic.view import Camera

    look = random_look(4, tack=False)
    rig = studio.model.rig.scaled(look.build)
    props = Props()
    rng = np.random.default_rng(0)
    props.ground("sand", np.array([-9.0, -9.0]), np.array([9.0, 9.0]), 4, 0.0, 2.0, np.ones(3), rng)

    def see(side: float, phase: float = 0.3):
        camera = Camera(np.array([5.0 * side, 1.3, 0.2]), np.array([0.0, 0.9, 0.2]), 36, 480, 360)
        light = make_light("overcast", False, camera.position, camera.target, np.random.default_rng(1))
        actor = Actor(look, moving(rig, Stride(GAITS["walk"]), phase), "walking", "walk", phase)
        rendered, truths = studio.shoot(camera, light, props, [actor])
        return rendered, truths[0]

    return see


@pytest.mark.parametrize(("side", "near", "far"), [(1.0, "left", "right"), (-1.0, "right", "left")])
def test_the_near_side_is_the_side_the_camera_is_on(side_view, side: float, near: str, far: str) -> None:
    from training.synthetic.anatomy import HORSE_20

    _, truth = side_view(side)
    seen = dict(zip(HORSE_20, truth.keypoints[:, 2], strict=True))
    for joint in ("eye", "elbow", "stifle", "front_hoof", "hind_hoof"):
        assert seen[f"{near}_{joint}"] == 2, f"{near} {joint} is in full view"
    for joint in ("eye", "elbow", "stifle"):
        assert seen[f"{far}_{joint}"] == 1, f"{far} {joint} is behind the horse"


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_horse_faces_where_its_nose_is(side_view, side: float) -> None:
    from training.synthetic.anatomy import HORSE_20

    _, truth = side_view(side)
    x = dict(zip(HORSE_20, truth.keypoints[:, 0], strict=True))
    # Seen from its left, the horse looks to the left of the picture.
    assert (x["nose"] < x["withers"] < x["tail_base"]) == (side > 0)


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5, 0.75])
def test_box_mask_and_joints_agree(side_view, phase: float) -> None:
    rendered, truth = side_view(1.0, phase)
    ys, xs = np.nonzero(truth.mask)
    x, y, w, h = truth.bbox
    assert (x, y) == (xs.min(), ys.min())
    assert (x + w - 1, y + h - 1) == (xs.max(), ys.max())
    fx, fy, fw, fh = truth.full_bbox
    assert fx <= x
    assert fy <= y
    assert fx + fw >= x + w
    assert fy + fh >= y + h
    import cv2

    distance = cv2.distanceTransform((~truth.mask).astype(np.uint8), cv2.DIST_L2, 3)
    for px, py, v in truth.keypoints:
        if v == 2:
            assert distance[int(py), int(px)] <= 3, "a joint that is seen lies on the horse"
    assert truth.hidden < 0.15
    assert set(np.unique(rendered.labels)) == {0, 1}


def test_the_four_hooves_are_apart_at_every_gait(side_view, studio) -> None:
    from training.synthetic.anatomy import HORSE_20
    from training.synthetic.gaits import GAITS, Stride, moving
    from training.synthetic.looks import random_look

    look = random_look(4, tack=False)
    rig = studio.model.rig.scaled(look.build)
    hooves = [HORSE_20.index(n) for n in HORSE_20 if n.endswith("hoof")]
    for name, gait in GAITS.items():
        for phase in np.linspace(0, 1, 8, endpoint=False):
            points = studio.anatomy.positions(studio.skinning(look, moving(rig, Stride(gait), float(phase))))[hooves]
            gaps = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(4, 1)]
            assert gaps.min() > 0.1, f"{name} at {phase}: two hooves share a place"


@pytest.mark.parametrize("gait", ["walk", "trot", "canter"])
def test_a_standing_hoof_moves_with_the_ground(studio, gait: str) -> None:
    """No foot sliding: during stance a hoof goes back exactly as fast as the horse goes forward."""
    from training.synthetic.gaits import GAITS, Stride, moving
    from training.synthetic.legs import LEGS, chain
    from training.synthetic.rig import joint_frames

    rig = studio.model.rig.scaled(np.full(3, 0.9))
    stride = Stride(GAITS[gait])
    for leg in LEGS:
        start = stride.gait.touchdown[leg]
        places = []
        for share in (0.25, 0.5, 0.75):
            own = share * stride.gait.duty
            frames = joint_frames(rig, moving(rig, stride, (start + own) % 1.0))
            at = frames[rig.index[chain(leg)[4]], :3, 3]
            places.append(at[2] + stride.speed(rig) * own * stride.seconds())
        assert np.ptp(places) < 0.03, f"{gait}, {leg}: slides {np.ptp(places):.3f} m"


@pytest.mark.parametrize("name", ["sternal", "flat", "sitting", "kneeling"])
def test_a_lying_horse_touches_the_ground(studio, name: str) -> None:
    from training.synthetic.lying import RECUMBENT, heights_of

    build = np.full(3, 0.9)
    rig = studio.model.rig.scaled(build)
    from dataclasses import replace

    from training.synthetic.looks import random_look

    look = replace(random_look(1, tack=False), build=build)
    heights = heights_of(studio.model, rig, build, studio.grounded(look, RECUMBENT[name](rig)))
    assert min(heights.values()) < 0.05
    assert min(heights.values()) > -0.12


def test_the_same_seed_gives_the_same_picture(studio) -> None:
    from training.synthetic.stills import StillMaker

    first, second = (StillMaker(studio, 160, 120, range(20)).make(12) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert first[2] == second[2]


def test_pictures_of_people_hold_no_horse_and_differ(studio) -> None:
    from training.synthetic.people import PeopleMaker

    maker = PeopleMaker(studio, 160, 120, range(20))
    (first, fields, found), (second, _, _) = maker.make(6000000), maker.make(6000001)
    assert not found
    assert fields["horses"] == 0
    assert (first != second).any()


def test_a_horse_in_stride_is_whole_and_seen_from_the_side(studio) -> None:
    from training.synthetic.strides import StrideMaker

    maker = StrideMaker(studio, 160, 120, range(20))
    for seed in range(4):
        _, fields, found = maker.make(seed)
        assert len(found) == 1
        assert found[0]["activity"] in ("walking", "trotting", "cantering", "galloping")
        assert found[0]["truncation"] < 0.3
        w, h = found[0]["full_bbox"][2:]
        assert w > 0.6 * h, "a horse seen from before or behind is narrow"
        assert fields["seed"] == seed


def test_a_round_of_close_pictures_shows_every_identity_once_and_large(studio) -> None:
    from training.synthetic.identities import IdentityMaker

    maker = IdentityMaker(studio, 256, 208, range(3000, 3006))
    first = 3000000 // 6 * 6
    assert sorted(maker.identity(seed) for seed in range(first, first + 6)) == list(range(3000, 3006))
    spans = []
    for seed in range(first, first + 6):
        picture, fields, found = maker.make(seed)
        assert picture.shape == (208, 256, 3)
        assert fields["seed"] == seed
        for annotation in found:
            assert annotation["identity"] == f"horse-{maker.identity(seed)}"
            _, _, w, h = annotation["full_bbox"]
            spans.append(max(w / 256, h / 208))
    assert spans
    assert np.median(spans) > 0.6, "the horse fills most of the picture"


def test_the_same_seed_gives_the_same_close_picture_whatever_came_before(studio) -> None:
    from training.synthetic.identities import IdentityMaker

    first, second = (IdentityMaker(studio, 96, 78, range(3000, 3006)) for _ in range(2))
    second.make(5)
    for seed in (3000000, 3000007):
        (one, _, truth), (other, _, again) = first.make(seed), second.make(seed)
        assert np.array_equal(one, other)
        assert truth == again


def test_close_pictures_are_taken_by_night_too() -> None:
    from training.synthetic.identities import NIGHTS, IdentityMaker
    from training.synthetic.lighting import LIGHTS

    for shares in IdentityMaker.light_shares.values():
        assert sum(shares) == pytest.approx(1)
        assert dict(zip(LIGHTS, shares, strict=True))["infrared"] == NIGHTS
