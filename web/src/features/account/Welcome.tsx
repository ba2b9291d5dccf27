import { type SubmitEvent, useState } from "react";
import { Link, Navigate, useSearchParams } from "react-router";
import { ApiError, sentence } from "@/shared/api/client";
import { useSession } from "@/shared/api/endpoints/session";
import { createFirstAdministrator, useSetup } from "@/shared/api/endpoints/setup";
import { Button } from "@/shared/ui/Button";
import { Field } from "@/shared/ui/Field";
import { formText } from "@/shared/ui/formText";
import { ErrorNote, Loading } from "@/shared/ui/Notice";
import { Frame } from "./Frame";

/** As the API asks for it. */
const SHORTEST = 10;

/** The first administrator, from the one-time link. */
export function Welcome() {
  const [query] = useSearchParams();
  const setup = useSetup();
  const { status, enter } = useSession();
  const [error, setError] = useState<{ text: string; fields: Readonly<Record<string, string>> } | null>(null);
  const [busy, setBusy] = useState(false);
  const token = query.get("token");

  if (status === "in") return <Navigate to="/" replace />;
  if (setup.loading) return <Loading label="Opening the stable" />;
  if (token === null || setup.data?.needed === false) {
    return (
      <Frame
        title={token === null ? "This link is not whole" : "This link was used before"}
        lead={
          token === null
            ? "Copy the whole address that BarnHand printed where it was started."
            : "There is an administrator already. Sign in, or ask that person for an account."
        }
      >
        <Link to="/sign-in" className="inline-flex min-h-11 items-center font-semibold text-hay hover:underline">
          Go to sign in
        </Link>
      </Frame>
    );
  }

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const password = formText(form, "password");
    if (password !== formText(form, "again")) {
      setError({ text: "The two passwords differ. Type the same one twice.", fields: {} });
      return;
    }
    setBusy(true);
    setError(null);
    try {
      enter(await createFirstAdministrator(token, formText(form, "email"), password));
    } catch (problem) {
      setError({ text: sentence(problem), fields: problem instanceof ApiError ? problem.fields : {} });
    } finally {
      setBusy(false);
    }
  };

  return (
    <Frame title="Welcome to your stable" lead="Make the first account. It may do everything, so choose its password well.">
      <form className="space-y-5" onSubmit={(event) => void submit(event)}>
        {error !== null && <ErrorNote>{error.text}</ErrorNote>}
        <Field label="E-mail" name="email" type="email" autoComplete="username" required autoFocus error={error?.fields.email} />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={SHORTEST}
          required
          hint={`At least ${SHORTEST} characters. A sentence is good.`}
          error={error?.fields.password}
        />
        <Field label="Password once more" name="again" type="password" autoComplete="new-password" required />
        <Button type="submit" look="primary" className="w-full" busy={busy}>
          {busy ? "Making the account" : "Make the account"}
        </Button>
      </form>
    </Frame>
  );
}
