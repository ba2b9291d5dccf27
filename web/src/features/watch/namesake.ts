/** The horse that bears this name, however it is spelt; `undefined` where nobody does. */
export function namesake<T extends { name: string }>(horses: readonly T[], name: string): T | undefined {
  const wanted = plain(name);
  return wanted === "" ? undefined : horses.find((horse) => plain(horse.name) === wanted);
}

function plain(name: string): string {
  return name.trim().replaceAll(/\s+/g, " ").toLocaleLowerCase();
}
