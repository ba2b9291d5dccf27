export interface Size {
  width: number;
  height: number;
}

export interface Rect extends Size {
  x: number;
  y: number;
}

/** A rectangle of a picture of size `from`, drawn at size `to`. */
export function scaleRect(rect: Rect, from: Size, to: Size): Rect {
  const sx = to.width / from.width;
  const sy = to.height / from.height;
  return { x: rect.x * sx, y: rect.y * sy, width: rect.width * sx, height: rect.height * sy };
}

/**
 * Where a label of size `label` goes: on top of the box, left edges aligned; inside the box when there is no room above;
 * pushed left when it would leave the picture.
 */
export function placeLabel(box: Rect, label: Size, picture: Size): { x: number; y: number } {
  const above = box.y - label.height;
  const x = Math.max(0, Math.min(box.x, picture.width - label.width));
  const y = above >= 0 ? above : Math.min(Math.max(box.y, 0), picture.height - label.height);
  return { x, y };
}
