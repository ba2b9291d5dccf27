import { placeLabel, scaleRect, type Size } from "./geometry";
import { type Horse, horseLabel, type Pose } from "./observation";
import { bonesOf } from "./skeletons";
import type { TrailPoint } from "./timeline";

/** What of the overlay is drawn. */
export interface Layers {
  box: boolean;
  name: boolean;
  skeleton: boolean;
  trail: boolean;
}

const BOX = "#87CEEB";
const JOINT = "#DAA520";
const BONE = "#2D5016";
/** A light rim, or dark green bones drown in a dark stable. */
const CASING = "rgba(240, 247, 228, 0.75)";
const INK = "#1c1917";
const LABEL_FONT = '600 13px "Figtree Variable", system-ui, sans-serif';

/** Joints have a radius of 4 px, less on a horse so small that they would hide it: a fortieth of its height, at least 1.5. */
const JOINT_PX = 4;
const LEAST_JOINT_PX = 1.5;
const JOINTS_A_HEIGHT = 40;

/** Key points below this are guesses and not drawn. */
const POINT_CONFIDENCE = 0.3;

/** Trackers may name colours as people do ("light blue"). */
export function cssColor(color: string): string {
  return color.startsWith("#") ? color : color.replaceAll(/[\s_-]/g, "").toLowerCase();
}

/** Radius of joints on a horse that is `height` px high on screen. */
export function jointRadius(height: number): number {
  return Math.min(JOINT_PX, Math.max(LEAST_JOINT_PX, height / JOINTS_A_HEIGHT));
}

/** Draws in CSS pixels of the canvas; `picture` is the size the observation's pixels are of, `canvas` the size on screen. */
export class OverlayBrush {
  constructor(
    private readonly ctx: CanvasRenderingContext2D,
    private readonly picture: Size,
    private readonly canvas: Size,
  ) {}

  horse(horse: Horse, layers: Layers, predicted: boolean): void {
    if (layers.skeleton && horse.pose !== null) this.skeleton(horse.pose, jointRadius((horse.bbox.height * this.canvas.height) / this.picture.height));
    if (layers.box) this.box(horse, predicted);
    if (layers.name) this.label(horse);
  }

  private box(horse: Horse, predicted: boolean): void {
    const { ctx } = this;
    const rect = scaleRect(horse.bbox, this.picture, this.canvas);
    ctx.save();
    ctx.lineJoin = "round";
    if (predicted) ctx.setLineDash([8, 5]);
    else {
      ctx.strokeStyle = "rgba(12, 10, 9, 0.55)";
      ctx.lineWidth = 4;
      ctx.strokeRect(rect.x, rect.y, rect.width, rect.height);
    }
    ctx.strokeStyle = BOX;
    ctx.lineWidth = 2;
    ctx.strokeRect(rect.x, rect.y, rect.width, rect.height);
    ctx.restore();
  }

  private label(horse: Horse): void {
    const { ctx } = this;
    ctx.save();
    ctx.font = LABEL_FONT;
    ctx.textBaseline = "middle";
    const text = horseLabel(horse);
    const size = { width: Math.ceil(ctx.measureText(text).width) + 28, height: 24 };
    const box = scaleRect(horse.bbox, this.picture, this.canvas);
    const { x, y } = placeLabel({ ...box, x: box.x - 1, y: box.y - 1 }, size, this.canvas);
    ctx.fillStyle = BOX;
    ctx.beginPath();
    ctx.roundRect(x, y, size.width, size.height, 4);
    ctx.fill();
    ctx.fillStyle = cssColor(horse.color);
    ctx.strokeStyle = INK;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.arc(x + 12, y + size.height / 2, 5, 0, 2 * Math.PI);
    ctx.fill();
    ctx.stroke();
    ctx.fillStyle = INK;
    ctx.fillText(text, x + 22, y + size.height / 2 + 0.5);
    ctx.restore();
  }

  private skeleton(pose: Pose, radius: number): void {
    const { ctx } = this;
    const sx = this.canvas.width / this.picture.width;
    const sy = this.canvas.height / this.picture.height;
    const points = new Map(
      pose.keypoints.filter((p) => p.confidence >= POINT_CONFIDENCE).map((p) => [p.name, { x: p.x * sx, y: p.y * sy }]),
    );
    ctx.save();
    ctx.lineCap = "round";
    const path = new Path2D();
    for (const [from, to] of bonesOf(pose.skeleton)) {
      const a = points.get(from ?? "");
      const b = points.get(to ?? "");
      if (a === undefined || b === undefined) continue;
      path.moveTo(a.x, a.y);
      path.lineTo(b.x, b.y);
    }
    ctx.strokeStyle = CASING;
    ctx.lineWidth = radius + 1;
    ctx.stroke(path);
    ctx.strokeStyle = BONE;
    ctx.lineWidth = radius * 0.7;
    ctx.stroke(path);
    ctx.fillStyle = JOINT;
    ctx.strokeStyle = INK;
    ctx.lineWidth = 1;
    for (const point of points.values()) {
      ctx.beginPath();
      ctx.arc(point.x, point.y, radius, 0, 2 * Math.PI);
      ctx.fill();
      ctx.stroke();
    }
    ctx.restore();
  }

  /** The way the middle of the box came, fading towards the past; `now` joins it to where the horse is drawn. */
  trail(points: readonly TrailPoint[], now: Horse): void {
    const { ctx } = this;
    const sx = this.canvas.width / this.picture.width;
    const sy = this.canvas.height / this.picture.height;
    const end = { x: now.bbox.x + now.bbox.width / 2, y: now.bbox.y + now.bbox.height / 2 };
    const all = [...points, end];
    ctx.save();
    ctx.lineCap = "round";
    ctx.lineWidth = 3;
    ctx.strokeStyle = cssColor(now.color);
    for (let i = 1; i < all.length; i++) {
      const a = all[i - 1];
      const b = all[i];
      if (a === undefined || b === undefined) continue;
      ctx.globalAlpha = 0.1 + (0.7 * i) / all.length;
      ctx.beginPath();
      ctx.moveTo(a.x * sx, a.y * sy);
      ctx.lineTo(b.x * sx, b.y * sy);
      ctx.stroke();
    }
    ctx.restore();
  }
}
