/** Password, and the devices where this account is logged in. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import * as api from "@/api/endpoints";
import { Problem } from "@/api/http";
import { sessionsQuery } from "@/api/queries";
import type { Session } from "@/api/types";
import { useLeave } from "@/app/session";
import { Confirm } from "@/components/dialog";
import { Field, FormError } from "@/components/field";
import { ListSkeleton } from "@/components/skeletons";
import { ErrorState } from "@/components/states";
import { showToast } from "@/components/toast";
import { deviceName } from "@/lib/device";
import { relative } from "@/lib/format";
import { strings } from "@/strings";

const words = strings.profile;

export function Section() {
  return (
    <>
      <PasswordForm />
      <Sessions />
    </>
  );
}

function PasswordForm() {
  const form = useRef<HTMLFormElement>(null);
  const change = useMutation({
    mutationFn: api.changePassword,
    onSuccess: () => {
      form.current?.reset();
      showToast(words.passwordChanged);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    change.mutate({ current_password: String(data.get("current")), new_password: String(data.get("new")) });
  };
  const refused = change.error instanceof Problem ? change.error : undefined;
  const wrong = refused?.status === 401 || refused?.status === 403;
  return (
    <section className="section" aria-labelledby="password">
      <h2 id="password">{words.password}</h2>
      <form ref={form} className="form" onSubmit={submit}>
        <Field
          label={words.currentPassword}
          name="current"
          type="password"
          autoComplete="current-password"
          required
          error={wrong ? words.wrongPassword : undefined}
        />
        <Field
          label={words.newPassword}
          name="new"
          type="password"
          autoComplete="new-password"
          minLength={15}
          required
          hint={strings.auth.passwordHint}
          error={refused?.fields.new_password}
        />
        <FormError>{refused && !wrong ? refused.message : null}</FormError>
        <div>
          <button type="submit" className="button button--primary" disabled={change.isPending}>
            {words.changePassword}
          </button>
        </div>
      </form>
    </section>
  );
}

function Sessions() {
  const client = useQueryClient();
  const sessions = useQuery(sessionsQuery);
  const leave = useLeave();
  const [leaving, setLeaving] = useState(false);
  const end = useMutation({
    mutationFn: (session: Session) => api.endSession(session.id),
    onSettled: () => client.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  });
  return (
    <section className="section" aria-labelledby="sessions">
      <h2 id="sessions">{words.sessions}</h2>
      {sessions.isPending && <ListSkeleton count={2} />}
      {sessions.isError && <ErrorState error={sessions.error} retry={() => sessions.refetch()} />}
      <ul className="entries">
        {sessions.data?.items.map((session) => (
          <SessionEntry key={session.id} session={session} onEnd={() => end.mutate(session)} />
        ))}
      </ul>
      <div className="chips">
        <button type="button" className="button" onClick={() => leave()}>
          {words.logOutHere}
        </button>
        <button type="button" className="button button--danger" onClick={() => setLeaving(true)}>
          {words.logOutEverywhere}
        </button>
      </div>
      {leaving && (
        <Confirm
          question={words.logOutEverywhereSure}
          confirm={words.logOutEverywhere}
          onConfirm={() => void leave(true)}
          onClose={() => setLeaving(false)}
        />
      )}
    </section>
  );
}

function SessionEntry({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const device = deviceName(session.user_agent) ?? words.unknownDevice;
  return (
    <li className="entry" style={{ gridTemplateColumns: "minmax(0, 1fr) auto", paddingInline: "1.25rem" }}>
      <div>
        <p className="entry__name">{device}</p>
        <p className="muted small">
          {session.current ? words.current : words.lastUsed(relative(session.last_used_at))}
          {session.address && ` · ${session.address}`}
        </p>
      </div>
      {!session.current && (
        <button type="button" className="button button--small" aria-label={words.endSessionOf(device)} onClick={onEnd}>
          {words.endSession}
        </button>
      )}
    </li>
  );
}
