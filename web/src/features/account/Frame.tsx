import type { ReactNode } from "react";
import { Brand } from "@/shared/ui/Brand";

/** The quiet page around the forms that come before everything else. */
export function Frame({ title, lead, children }: { title: string; lead: ReactNode; children: ReactNode }) {
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-md">
        <div className="mb-9 flex justify-center">
          <Brand large />
        </div>
        <section className="rounded-2xl border border-line bg-panel/90 p-6 shadow-2xl shadow-black/40 sm:p-8">
          <h1 className="font-display text-2xl font-semibold text-balance">{title}</h1>
          <p className="mt-1.5 mb-6 text-pretty text-muted">{lead}</p>
          {children}
        </section>
      </div>
    </main>
  );
}
