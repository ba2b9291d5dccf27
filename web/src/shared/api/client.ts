import type { Problem } from "./types";

/** An answer other than success. `message` is a sentence for the person in front of the page. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "ApiError";
  }
}

type Query = Record<string, string | number | boolean | undefined>;

export interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  query?: Query;
  signal?: AbortSignal;
}

const signedOutListeners = new Set<() => void>();

/** Called whenever the API says that nobody is signed in. Returns the way to stop listening. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

export function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  const search = new URLSearchParams(given).toString();
  return search === "" ? `/v1${path}` : `/v1${path}?${search}`;
}

/** A call of the API. Raises `ApiError`; `T` is what the OpenAPI document promises for the path. */
export async function call<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const answer = await ask(path, options);
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

/** A file of the API. Raises `ApiError`. */
export async function fetchBlob(path: string, query: Query): Promise<Blob> {
  return (await ask(path, { query })).blob();
}

async function ask(path: string, options: RequestOptions): Promise<Response> {
  const { method = "GET", body, query, signal } = options;
  let answer: Response;
  try {
    answer = await fetch(address(path, query), {
      method,
      credentials: "same-origin",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, "BarnHand does not answer. Check that it is running and that this device is on the stable's network.");
  }
  if (!answer.ok) throw await problem(answer);
  return answer;
}

async function problem(answer: Response): Promise<ApiError> {
  if (answer.status === 401) for (const listener of signedOutListeners) listener();
  try {
    const told = (await answer.json()) as Partial<Problem>;
    const fields = Object.fromEntries((told.errors ?? []).map((item) => [item.field, item.detail]));
    return new ApiError(answer.status, told.detail ?? `The server answered ${answer.status}.`, fields);
  } catch {
    return new ApiError(answer.status, `BarnHand could not answer (${answer.status}). Try again in a moment.`);
  }
}

/** The sentence of any error. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
