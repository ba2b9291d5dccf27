import type { Schemas } from "@/shared/api/types";
import { namesake } from "./namesake";

type Horse = Pick<Schemas["Horse"], "id" | "name" | "stranger">;

/** What is wrong: the animal is another horse, or none that has a name, or the horse's name is. */
export type Wrong = "horse" | "stranger" | "name";

/** What a person has chosen so far. */
export interface Draft {
  wrong: Wrong;
  /** Id of the horse it is. */
  horse: string;
  name: string;
}

export interface Answer {
  /** What the button that does it says. */
  button: string;
  /** What will come of it. */
  hint: string;
  /** Why the name can not be taken. */
  problem?: string;
  ready: boolean;
}

/** The horses an animal that is called `called`, or nothing, can be said to be: those somebody named, by name. */
export function others<T extends Horse>(horses: readonly T[], called: Horse | null): T[] {
  return horses.filter((horse) => !horse.stranger && horse.id !== called?.id).sort((a, b) => a.name.localeCompare(b.name));
}

/** What the dialog says to a draft. `known` are the `others`. */
export function answer(draft: Draft, called: Horse | null, known: readonly Horse[]): Answer {
  if (draft.wrong === "horse" || called === null) {
    const horse = known.find((one) => one.id === draft.horse);
    const elsewhere = called === null ? "" : ` ${called.name} stays ${called.name} elsewhere.`;
    const hint = `Only this animal is meant, in what was recorded of it too.${elsewhere}`;
    return { button: horse === undefined ? "Save" : `It is ${horse.name}`, hint, ready: horse !== undefined };
  }
  if (draft.wrong === "stranger") {
    const hint = `This animal is not called ${called.name} any more, in what was recorded of it too, until you say who it is.`;
    return { button: `It is not ${called.name}`, hint, ready: true };
  }
  const clash = namesake(known, draft.name);
  const name = draft.name.trim();
  return {
    button: "Save",
    hint: `All that was recorded of ${called.name} is found under the new name.`,
    ...(clash !== undefined && { problem: `Another horse is called ${clash.name}. If this is ${clash.name}, choose “another horse” above.` }),
    ready: clash === undefined && name !== "" && name !== called.name,
  };
}
