import { describe, expect, it } from "vitest";
import { answer, type Draft, others } from "./correction";

const JUNO = { id: "j", name: "Juno", stranger: false };
const BELLA = { id: "b", name: "Bella", stranger: false };
const HORSES = [{ id: "t", name: "Old Tom", stranger: false }, JUNO, { id: "u", name: "Unknown 3", stranger: true }, BELLA];
const KNOWN = others(HORSES, JUNO);

function draft(part: Partial<Draft>): Draft {
  return { wrong: "horse", horse: "", name: "", ...part };
}

describe("others", () => {
  it("are the horses that somebody named, without the one it is called", () => {
    expect(KNOWN.map((horse) => horse.name)).toEqual(["Bella", "Old Tom"]);
  });
});

describe("answer", () => {
  it("waits for a horse to be chosen", () => {
    expect(answer(draft({}), JUNO, KNOWN)).toMatchObject({ button: "Save", ready: false });
    expect(answer(draft({ horse: "b" }), JUNO, KNOWN)).toMatchObject({ button: "It is Bella", ready: true });
  });

  it("lets one that has no name be a horse that has", () => {
    expect(others(HORSES, null)).toHaveLength(3);
    expect(answer(draft({ horse: "j" }), null, others(HORSES, null))).toMatchObject({ button: "It is Juno", ready: true });
  });

  it("needs no more for one that nobody knows", () => {
    expect(answer(draft({ wrong: "stranger" }), JUNO, KNOWN)).toMatchObject({ button: "It is not Juno", ready: true });
  });

  it.each([
    ["Junó", true, undefined],
    ["juno", true, undefined],
    ["Juno ", false, undefined],
    ["  ", false, undefined],
    [" bella", false, "Another horse is called Bella. If this is Bella, choose “another horse” above."],
  ])("takes the name %j: %j", (name, ready, problem) => {
    const said = answer(draft({ wrong: "name", name }), JUNO, KNOWN);
    expect([said.ready, said.problem]).toEqual([ready, problem]);
  });
});
