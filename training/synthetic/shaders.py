"""The GLSL programs: one for horses, one for everything else, and their depth-only twins for the sun's shadow."""

from __future__ import annotations


def variant(source: str, *names: str) -> str:
    """The program with compile-time switches.

    A fragment that may discard loses the early depth test, and llvmpipe runs both sides of every branch, so what a picture
    does not need is left out of its program: GEAR, CUT_OUT, GROUND, SUN, LAMP.
    """
    return source.replace("#version 330", "\n".join(["#version 330", *(f"#define {name}" for name in names)]), 1)


MAX_JOINTS = 48
MAX_CONTACTS = 32

SKINNING = f"""
uniform mat4 joints[{MAX_JOINTS}];
uniform float inflate;
in vec3 in_position; in vec3 in_normal; in vec4 in_joints; in vec4 in_weights;
void posed(out vec3 position, out vec3 normal) {{
    mat4 m = joints[int(in_joints.x)] * in_weights.x + joints[int(in_joints.y)] * in_weights.y
           + joints[int(in_joints.z)] * in_weights.z + joints[int(in_joints.w)] * in_weights.w;
    position = (m * vec4(in_position + in_normal * inflate, 1.0)).xyz;
    normal = mat3(m) * in_normal;
}}
"""

HORSE_VERTEX = f"""#version 330
invariant gl_Position;
{SKINNING}
uniform mat4 camera;
in vec4 in_region; in vec4 in_zone; in vec3 in_coat;
out vec3 world; out vec3 normal; out vec4 region; out vec4 zone; out vec3 coat; out vec3 rest_normal;
void main() {{
    vec3 p, n; posed(p, n);
    world = p; normal = n; region = in_region; zone = in_zone; coat = in_coat; rest_normal = in_normal;
    gl_Position = camera * vec4(p, 1.0);
}}
"""

SHADOW_HORSE_VERTEX = f"""#version 330
{SKINNING}
uniform mat4 sun_view;
void main() {{ vec3 p, n; posed(p, n); gl_Position = sun_view * vec4(p, 1.0); }}
"""

PROP_VERTEX = """#version 330
invariant gl_Position;
uniform mat4 camera;
in vec3 in_position; in vec3 in_normal; in vec2 in_uv; in vec4 in_tint;
out vec3 world; out vec3 normal; out vec2 uv; out vec4 tint;
void main() {
    world = in_position; normal = in_normal; uv = in_uv; tint = in_tint;
    gl_Position = camera * vec4(in_position, 1.0);
}
"""

SHADOW_PROP_VERTEX = """#version 330
uniform mat4 sun_view;
in vec3 in_position; in vec2 in_uv;
out vec2 uv;
void main() { uv = in_uv; gl_Position = sun_view * vec4(in_position, 1.0); }
"""

DEPTH_PROP_VERTEX = """#version 330
invariant gl_Position;
uniform mat4 camera;
in vec3 in_position;
void main() { gl_Position = camera * vec4(in_position, 1.0); }
"""

SHADOW_HORSE_FRAGMENT = "#version 330\nvoid main() {}\n"
SHADOW_PROP_FRAGMENT = """#version 330
uniform sampler2D surface; in vec2 uv;
void main() { if (texture(surface, uv).a < 0.5) discard; }
"""

LIGHTING = f"""
uniform vec3 eye; uniform vec3 sun_direction; uniform vec3 sun_colour; uniform vec3 sky_colour; uniform vec3 ground_colour;
uniform vec3 lamp_position; uniform vec3 lamp_colour; uniform vec3 lamp_axis; uniform float lamp_cone;
uniform vec3 fog_colour; uniform float fog; uniform mat4 sun_view; uniform sampler2DShadow sun_depth;
uniform vec4 contacts[{MAX_CONTACTS}]; uniform int contact_count;

float sunlit(vec3 p, vec3 n) {{
    vec4 s = sun_view * vec4(p + n * 0.02, 1.0);
    vec3 c = s.xyz / s.w * 0.5 + 0.5;
    if (c.x < 0.0 || c.x > 1.0 || c.y < 0.0 || c.y > 1.0 || c.z > 1.0) return 1.0;
    float lit = 0.0;
    for (int i = 0; i < 4; i++)
        lit += texture(sun_depth, vec3(c.xy + vec2(i & 1, i >> 1) * 0.0018 - 0.0009, c.z - 0.0012));
    return lit * 0.25;
}}

float contact_shade(vec3 p) {{
    float open = 1.0;
    for (int i = 0; i < contact_count; i++) {{
        vec2 d = p.xz - contacts[i].xy;
        float near = max(1.0 - dot(d, d) / (2.6 * contacts[i].z * contacts[i].z), 0.0);
        open *= 1.0 - contacts[i].w * near * near;
    }}
    return open;
}}

vec3 light_at(vec3 p, vec3 n, float wrap, out float highlight) {{
    vec3 view = normalize(eye - p);
    vec3 sum = mix(ground_colour, sky_colour, n.y * 0.5 + 0.5);
    highlight = 0.0;
#ifdef SUN
    float lit = sunlit(p, n);
    sum += sun_colour * max((dot(n, sun_direction) + wrap) / (1.0 + wrap), 0.0) * lit;
    highlight += pow(max(dot(n, normalize(sun_direction + view)), 0.0), 24.0) * lit * dot(sun_colour, vec3(0.33));
#endif
#ifdef LAMP
    vec3 to_lamp = lamp_position - p;
    float d2 = dot(to_lamp, to_lamp);
    to_lamp *= inversesqrt(d2);
    float cone = smoothstep(lamp_cone, mix(lamp_cone, 1.0, 0.85), dot(-to_lamp, lamp_axis));
    float lamp = cone / (1.0 + d2 * 0.12);
    sum += lamp_colour * lamp * max((dot(n, to_lamp) + wrap) / (1.0 + wrap), 0.0);
    highlight += pow(max(dot(n, normalize(to_lamp + view)), 0.0), 24.0) * lamp * dot(lamp_colour, vec3(0.33));
#endif
    return sum;
}}

vec3 hazed(vec3 colour, vec3 p) {{ return mix(fog_colour, colour, exp(-fog * length(eye - p))); }}
"""

PROP_FRAGMENT = f"""#version 330
{LIGHTING}
uniform sampler2D surface; uniform float identity; uniform float glow;
in vec3 world; in vec3 normal; in vec2 uv; in vec4 tint;
layout(location = 0) out vec4 colour; layout(location = 1) out vec4 label;
void main() {{
    vec4 base = texture(surface, uv);
#ifdef CUT_OUT
    if (base.a < 0.5) discard;
#endif
    vec3 n = normalize(normal); if (!gl_FrontFacing) n = -n;
    float highlight; vec3 light = light_at(world, n, 0.1, highlight);
#ifdef GROUND
    if (n.y > 0.3 && world.y < 0.4) light *= contact_shade(world);
#endif
    vec3 albedo = pow(base.rgb, vec3(2.2)) * tint.rgb;
    colour = vec4(hazed(albedo * mix(light, vec3(1.0), glow) + tint.a * highlight, world), 1.0);
    label = vec4(0.0, 0.0, 0.0, 1.0);
}}
"""

HORSE_FRAGMENT = f"""#version 330
{LIGHTING}
uniform sampler3D noise; uniform float identity; uniform int layer; uniform float infrared;
uniform vec3 body; uniform vec3 points; uniform vec3 mane; uniform vec3 muzzle; uniform vec3 white; uniform vec3 hoof;
uniform vec4 socks; uniform vec4 face; uniform vec4 pattern; uniform vec4 tone; uniform vec3 offset; uniform vec3 gear; uniform vec3 gear_trim;
uniform float gear_style;
in vec3 world; in vec3 normal; in vec4 region; in vec4 zone; in vec3 coat; in vec3 rest_normal;
layout(location = 0) out vec4 colour; layout(location = 1) out vec4 label;
float fbm(vec3 p) {{ return texture(noise, p).r; }}
void main() {{
    vec3 n = normalize(normal); if (!gl_FrontFacing) n = -n;
    float fine = fbm(coat * 2.3 + offset), broad = fbm(coat * 0.42 + offset * 1.7), hairs = fbm(coat * vec3(9.0, 5.0, 5.0));
    vec3 albedo = vec3(0.0); float gloss = 0.10;
    float edge = (fine - 0.5) * 0.16 + (hairs - 0.5) * 0.06;
    float leg = zone.y, head = zone.x;
    if (layer == 0) {{
        albedo = body * (0.86 + 0.28 * fine) * (0.93 + 0.14 * broad);
        float low = smoothstep(1.25, 0.95, coat.y + edge) * (1.0 - leg) * (1.0 - head);
        albedo *= mix(1.0, tone.x, low);
        albedo = mix(albedo, albedo * tone.y, smoothstep(1.55, 1.8, coat.y) * (1.0 - head) * 0.6);
        float rings = abs(fbm(coat * 1.6 + offset * 3.0) - 0.5) * 2.0;
        albedo *= 1.0 + pattern.z * (smoothstep(0.1, 0.5, rings) - 0.5);
        albedo = mix(albedo, points, leg * smoothstep(tone.z + 0.12, tone.z - 0.16, coat.y + edge));
        albedo = mix(albedo, points, tone.w * smoothstep(0.035, 0.015, abs(coat.x)) * smoothstep(1.55, 1.65, coat.y) * (1.0 - head));
        albedo = mix(albedo, muzzle, head * smoothstep(1.93, 1.76, coat.y + edge * 0.6) * 0.9);
        float patchy = smoothstep(pattern.x - 0.015, pattern.x + 0.015, broad + (fine - 0.5) * 0.10) * (1.0 - head * 0.8);
        albedo = mix(albedo, white * (0.9 + 0.2 * fine), patchy);
        float flecks = smoothstep(1.0 - pattern.w, 1.0 - pattern.w + 0.05, fbm(coat * 6.0 + offset));
        albedo = mix(albedo, points, flecks * 0.6);
        float sock = coat.z > 0.0 ? (coat.x > 0.0 ? socks.x : socks.y) : (coat.x > 0.0 ? socks.z : socks.w);
        albedo = mix(albedo, white, leg * smoothstep(sock + 0.025, sock - 0.025, coat.y + edge * 0.8));
        float front = smoothstep(0.15, 0.45, dot(rest_normal, vec3(0.0, 0.55, 0.83))) * head;
        float along = clamp((2.2 - coat.y) / 0.45, 0.0, 1.0);
        float stripe = smoothstep(face.x + 0.012, face.x - 0.012, abs(coat.x) + edge * 0.25) * step(face.x, 1.0)
            * smoothstep(face.z, face.z - 0.05, along) * smoothstep(face.w - 0.02, face.w + 0.03, along);
        float star = smoothstep(face.y + 0.01, face.y - 0.01, length((coat - vec3(0.0, 2.14, 1.46)) * vec3(1.0, 0.8, 0.5)) + edge * 0.3);
        albedo = mix(albedo, white, front * max(stripe, star));
        albedo = mix(albedo, body * 0.8, clamp(zone.w, 0.0, 1.0) * head * 0.5);
        float strands = 0.72 + 0.56 * fbm(vec3(coat.x * 7.0, coat.y * 1.3, coat.z * 7.0));
        albedo = mix(albedo, mane * strands * mix(1.0, smoothstep(pattern.x - 0.05, pattern.x, broad) * 2.0 + 1.0, step(pattern.x, 0.9) * 0.4), smoothstep(0.35, 0.65, region.x));
        albedo = mix(albedo, hoof * (0.85 + 0.3 * hairs), smoothstep(0.4, 0.6, region.y));
        if (region.w > 0.45) {{ albedo = mix(vec3(0.012, 0.009, 0.007), vec3(0.9), infrared * smoothstep(0.5, 0.95, dot(n, normalize(eye - world)))); gloss = 1.2; }}
    }}
#ifdef GEAR
    else if (layer == 1) {{
        float under = 0.98 + 0.14 * smoothstep(-0.6, 0.6, coat.z) * 0.0 + (fine - 0.5) * 0.02;
        bool on = coat.z > -0.93 && coat.z < 0.86 && coat.y > under && leg < 0.98 && region.x < 0.4 && !(coat.z > 0.6 && coat.y < 1.02);
        if (!on) discard;
        bool rim = coat.z < -0.88 || coat.z > 0.81 || coat.y < under + 0.035 || abs(coat.x) < 0.012;
        albedo = rim ? gear_trim : gear;
        float check = step(0.9, fract(coat.y * 7.0)) + step(0.9, fract(coat.z * 7.0));
        albedo = mix(albedo, gear_trim, 0.6 * min(check, 1.0) * step(0.5, gear_style));
        albedo *= 0.75 + 0.5 * fine; gloss = 0.03;
        if (!rim && abs(coat.z - 0.35 + 0.1 * coat.y) < 0.022 && coat.y < 1.25) albedo = gear_trim;
    }} else if (layer == 2) {{
        vec3 axis = normalize(vec3(0.0, -0.36, 0.46));
        float reach = dot(coat - vec3(0.0, 2.09, 1.26), axis);
        float behind = dot(coat - vec3(0.0, 2.09, 1.26), vec3(0.0, 0.79, 0.62));
        bool nose_band = abs(reach - 0.335) < 0.016, poll = abs(reach + 0.005 + 0.25 * behind) < 0.014, cheek = reach > 0.0 && reach < 0.335 && abs(behind - 0.015 - reach * 0.05) < 0.011;
        if (head < 0.7 || region.w > 0.3 || zone.z > 0.3 || !(nose_band || poll || cheek)) discard;
        albedo = gear * (0.8 + 0.4 * hairs); gloss = 0.15;
    }} else if (layer == 3) {{
        bool pad = coat.z > 0.02 && coat.z < 0.52 && coat.y > 1.25 && coat.y < 2.0 && head < 0.1;
        bool girth = abs(coat.z - 0.36) < 0.045 && leg < 0.5 && coat.y < 1.3;
        if (!(pad || girth) || region.x > 0.4) discard;
        bool leather = coat.z > 0.1 && coat.z < 0.45 && coat.y > 1.36;
        albedo = girth || leather ? vec3(0.05, 0.028, 0.016) : gear; albedo *= 0.8 + 0.4 * fine; gloss = leather ? 0.3 : 0.04;
    }} else {{
        if (leg < 0.9 || coat.y > 0.52 || coat.y < 0.24 || region.y > 0.3) discard;
        albedo = gear * (0.8 + 0.4 * hairs);
    }}
#endif
    n = normalize(n + 0.16 * (vec3(hairs, fine, 1.0 - hairs) - 0.5));
    float highlight; vec3 light = light_at(world, n, 0.22, highlight);
    light *= mix(1.0, 0.55, smoothstep(0.2, -0.9, n.y) * smoothstep(1.3, 0.2, world.y));
    float rim = pow(1.0 - max(dot(n, normalize(eye - world)), 0.0), 3.0);
    if (infrared > 0.5) {{ float grey = dot(albedo, vec3(0.45, 0.35, 0.2)); albedo = vec3(0.06 + 0.62 * sqrt(grey) * (0.8 + 0.3 * fine)); }}
    colour = vec4(hazed(albedo * light * (1.0 + 0.35 * rim) + vec3(gloss * highlight * 0.35), world), 1.0);
    label = vec4(identity / 255.0, 0.0, 0.0, 1.0);
}}
"""  # noqa: E501
