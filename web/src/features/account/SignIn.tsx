import { type SubmitEvent, useState } from "react";
import { Navigate, useLocation } from "react-router";
import { sentence } from "@/shared/api/client";
import { postSession, useSession } from "@/shared/api/endpoints/session";
import { useSetup } from "@/shared/api/endpoints/setup";
import { Button } from "@/shared/ui/Button";
import { Field } from "@/shared/ui/Field";
import { formText } from "@/shared/ui/formText";
import { ErrorNote } from "@/shared/ui/Notice";
import { Frame } from "./Frame";

interface Origin {
  from?: { pathname: string; search: string };
}

export function SignIn() {
  const { status, enter } = useSession();
  const setup = useSetup();
  const location = useLocation();
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  if (status === "in") {
    const origin = (location.state as Origin | null)?.from;
    return <Navigate to={origin === undefined ? "/" : origin.pathname + origin.search} replace />;
  }

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(null);
    try {
      enter(await postSession(formText(form, "email"), formText(form, "password")));
    } catch (problem) {
      setError(sentence(problem));
    } finally {
      setBusy(false);
    }
  };

  if (setup.data?.needed === true) {
    return (
      <Frame title="Nobody lives here yet" lead="The first administrator is made with a one-time link.">
        <p className="text-pretty text-soft">
          BarnHand prints it where it was started. Open that link on this device, choose a password, and you are in.
        </p>
        <Button className="mt-6 w-full" onClick={setup.refresh}>
          I have done that
        </Button>
      </Frame>
    );
  }
  return (
    <Frame title="Sign in" lead="See to your horses from wherever you are.">
      <form className="space-y-5" onSubmit={(event) => void submit(event)}>
        {error !== null && <ErrorNote>{error}</ErrorNote>}
        <Field label="E-mail" name="email" type="email" autoComplete="username" required autoFocus />
        <Field label="Password" name="password" type="password" autoComplete="current-password" required />
        <Button type="submit" look="primary" className="w-full" busy={busy}>
          {busy ? "Signing in" : "Sign in"}
        </Button>
      </form>
    </Frame>
  );
}
