import { create } from "zustand";
import { ApiError, call, onSignedOut, sentence } from "../client";
import type { Session } from "../types";

export function getSession(): Promise<Session> {
  return call("/session");
}

export function postSession(email: string, password: string): Promise<Session> {
  return call("/session", { method: "POST", body: { email, password } });
}

export function deleteSession(): Promise<void> {
  return call("/session", { method: "DELETE" });
}

interface SessionStore {
  status: "unknown" | "in" | "out" | "unreachable";
  session: Session | null;
  error: string | null;
  /** Ask the API who is signed in. */
  load: () => Promise<void>;
  enter: (session: Session) => void;
  leave: () => Promise<void>;
}

/** Who is signed in; the cookie itself is out of reach of scripts. */
export const useSession = create<SessionStore>()((set) => ({
  status: "unknown",
  session: null,
  error: null,
  load: async () => {
    try {
      set({ session: await getSession(), status: "in", error: null });
    } catch (error) {
      const out = error instanceof ApiError && error.status === 401;
      set({ session: null, status: out ? "out" : "unreachable", error: out ? null : sentence(error) });
    }
  },
  enter: (session) => set({ session, status: "in", error: null }),
  leave: async () => {
    await deleteSession();
    set({ session: null, status: "out" });
  },
}));

onSignedOut(() => useSession.setState({ session: null, status: "out" }));
