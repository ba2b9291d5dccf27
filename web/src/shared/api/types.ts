import type { components } from "./openapi";

/** Generated from docs/openapi.json by `npm run api`. */
export type Schemas = components["schemas"];
export type Stream = Schemas["Stream"];
export type StreamState = Schemas["StreamState"];
export type Session = Schemas["Session"];
export type Chunk = Schemas["Chunk"];
export type Gap = Schemas["Gap"];
export type Protection = Schemas["Protection"];
export type Problem = Schemas["Problem"];
