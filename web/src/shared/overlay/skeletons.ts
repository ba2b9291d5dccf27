import ap10k from "@skeletons/ap10k-17.json";
import horse20 from "@skeletons/horse-20.json";

/** Bones join two named points; the files are the ones the analyst uses. */
const BONES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  [horse20.name]: horse20.bones,
  [ap10k.name]: ap10k.bones,
};

/** Bones of a skeleton; one this page does not know has none and is drawn as joints alone. */
export function bonesOf(skeleton: string): readonly (readonly string[])[] {
  return BONES[skeleton] ?? [];
}
