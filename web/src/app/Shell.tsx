import { useEffect } from "react";
import { Link, Navigate, Outlet, useLocation } from "react-router";
import { useSession } from "@/shared/api/endpoints/session";
import { useStreams } from "@/shared/streams/store";
import { Brand } from "@/shared/ui/Brand";
import { Button, IconButton } from "@/shared/ui/Button";
import { Empty, Loading } from "@/shared/ui/Notice";

const REFRESH_MS = 5000;

/** The frame around every page for people who are signed in; all others are sent to sign in and come back after. */
export function Shell() {
  const { status, session, error, load, leave } = useSession();
  const location = useLocation();
  const fetchStreams = useStreams((store) => store.fetch);

  useEffect(() => {
    if (status !== "in") return;
    const run = () => {
      if (document.visibilityState === "visible") void fetchStreams();
    };
    run();
    const timer = setInterval(run, REFRESH_MS);
    return () => clearInterval(timer);
  }, [status, fetchStreams]);

  if (status === "unknown") return <Loading label="Opening the stable" />;
  if (status === "unreachable") {
    return (
      <Empty icon="bad" title="BarnHand does not answer" action={<Button onClick={() => void load()}>Try again</Button>}>
        {error}
      </Empty>
    );
  }
  if (status === "out") return <Navigate to="/sign-in" state={{ from: location }} replace />;
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="mx-auto flex w-full max-w-[110rem] items-center justify-between gap-4 px-4 py-2.5 sm:px-6">
        <Link to="/" aria-label="BarnHand, all cameras" className="rounded-lg py-1">
          <Brand />
        </Link>
        <div className="flex items-center gap-1">
          <span className="hidden max-w-60 truncate text-sm text-muted sm:block">{session?.user.email}</span>
          <IconButton icon="out" label="Sign out" onClick={() => void leave()} />
        </div>
      </header>
      <main className="mx-auto flex w-full max-w-[110rem] flex-1 flex-col px-0 sm:px-6">
        <Outlet />
      </main>
    </div>
  );
}
