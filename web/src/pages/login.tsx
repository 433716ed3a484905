/** The door: log in or make an account. */
import "@/styles/auth.css";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { CSSProperties, FormEvent, ReactNode } from "react";
import * as api from "@/api/endpoints";
import { Problem } from "@/api/http";
import { chosenProfile } from "@/api/profile-choice";
import { meQuery } from "@/api/queries";
import { mustChoose } from "@/app/session";
import { Field, FormError } from "@/components/field";
import { Mark } from "@/components/mark";
import { usePageTitle } from "@/components/page-title";
import { strings } from "@/strings";

const words = strings.auth;

export function LogInPage() {
  usePageTitle(words.logIn);
  const enter = useEnter();
  const { next } = useSearch({ from: "/login" });
  const logIn = useMutation({ mutationFn: api.logIn, onSuccess: () => enter(next) });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    logIn.mutate({ email: value(form, "email"), password: value(form, "password") });
  };
  return (
    <Door title={words.logInTitle} lead={words.logInLead}>
      <form onSubmit={submit} className="door__form">
        <Field label={words.email} name="email" type="email" autoComplete="username" required autoFocus />
        <Field label={words.password} name="password" type="password" autoComplete="current-password" required />
        <FormError>{logIn.error ? refusal(logIn.error) : null}</FormError>
        <button type="submit" className="button button--primary" disabled={logIn.isPending}>
          {words.logIn}
        </button>
        <p className="muted">
          {words.toRegister}{" "}
          <Link to="/register" search={{ next }} className="link">
            {words.register}
          </Link>
        </p>
      </form>
    </Door>
  );
}

export function RegisterPage() {
  usePageTitle(words.register);
  const enter = useEnter();
  const { next } = useSearch({ from: "/register" });
  const register = useMutation({ mutationFn: api.register, onSuccess: () => enter("/welcome") });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    register.mutate({ name: value(form, "name"), email: value(form, "email"), password: value(form, "password") });
  };
  const fields = register.error instanceof Problem ? register.error.fields : {};
  return (
    <Door title={words.registerTitle} lead={words.registerLead}>
      <form onSubmit={submit} className="door__form">
        <Field
          label={words.name}
          name="name"
          autoComplete="name"
          required
          maxLength={60}
          autoFocus
          error={fields.name}
        />
        <Field label={words.email} name="email" type="email" autoComplete="username" required error={fields.email} />
        <Field
          label={words.password}
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={15}
          hint={words.passwordHint}
          error={fields.password}
        />
        <FormError>{register.error ? refusal(register.error) : null}</FormError>
        <button type="submit" className="button button--primary" disabled={register.isPending}>
          {words.register}
        </button>
        <p className="muted">
          {words.toLogIn}{" "}
          <Link to="/login" search={{ next }} className="link">
            {words.logIn}
          </Link>
        </p>
      </form>
    </Door>
  );
}

/** The first evening: the house has no admin yet, and whoever started it holds a one-time token. */
export function SetUpPage() {
  usePageTitle(words.setUp);
  const enter = useEnter();
  const { token } = useSearch({ from: "/setup" });
  const setUp = useMutation({ mutationFn: api.setUp, onSuccess: () => enter("/admin/import") });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setUp.mutate({
      token: value(form, "token").trim(),
      name: value(form, "name"),
      email: value(form, "email"),
      password: value(form, "password"),
    });
  };
  const fields = setUp.error instanceof Problem ? setUp.error.fields : {};
  return (
    <Door title={words.setUpTitle} lead={words.setUpLead}>
      <form onSubmit={submit} className="door__form">
        <Field
          label={words.token}
          name="token"
          defaultValue={token}
          required
          autoComplete="off"
          spellCheck={false}
          hint={words.tokenHint}
          error={fields.token}
        />
        <Field label={words.name} name="name" autoComplete="name" required maxLength={60} error={fields.name} />
        <Field label={words.email} name="email" type="email" autoComplete="username" required error={fields.email} />
        <Field
          label={words.password}
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={15}
          hint={words.passwordHint}
          error={fields.password}
        />
        <FormError>
          {setUp.error
            ? setUp.error instanceof Problem && setUp.error.status === 401
              ? words.tokenWrong
              : refusal(setUp.error)
            : null}
        </FormError>
        <button type="submit" className="button button--primary" disabled={setUp.isPending}>
          {words.setUp}
        </button>
      </form>
    </Door>
  );
}

const value = (form: FormData, name: string) => String(form.get(name) ?? "");

/** Why the door stayed shut. */
function refusal(error: Error): string {
  if (!(error instanceof Problem)) return strings.states.errorLead;
  if (error.offline) return strings.states.unreachable;
  if (error.status === 401) return words.wrong;
  if (error.status === 409) return words.taken;
  if (error.status === 429) return words.tooMany;
  return error.message || strings.states.errorLead;
}

/** Forgets whoever was here before, learns who this is, and goes on to the page that was asked for. */
function useEnter() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return async (next: string | undefined) => {
    const before = chosenProfile.get();
    chosenProfile.set(undefined);
    client.clear();
    const me = await client.fetchQuery(meQuery);
    if (me.profiles.some((profile) => profile.id === before)) chosenProfile.set(before);
    const target = next?.startsWith("/") && !next.startsWith("//") ? next : "/";
    if (mustChoose(me))
      await navigate({ to: "/profiles", search: { next: target === "/" ? undefined : target }, replace: true });
    else await navigate({ href: target, replace: true });
  };
}

function Door({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <main id="content" className="door" tabIndex={-1}>
      <div className="door__scene">
        <Deck />
        <p>{words.tagline}</p>
      </div>
      <div className="door__panel">
        <div className="door__form">
          <Link to="/login" className="brand" aria-label={strings.app.name}>
            <Mark />
            {strings.app.name}
          </Link>
          <div>
            <h1>{title}</h1>
            <p className="muted">{lead}</p>
          </div>
          {children}
        </div>
      </div>
    </main>
  );
}

const CARDS = 11;

/** A deck in the projector's light, each card a moment later than the one before: a horse in eleven steps would be next. */
function Deck() {
  return (
    <svg className="door__deck" viewBox="0 0 800 900" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <defs>
        <radialGradient id="lamp" cx="0.62" cy="0.36" r="0.75">
          <stop offset="0" stopColor="#f2b347" stopOpacity="0.34" />
          <stop offset="0.5" stopColor="#b8742a" stopOpacity="0.1" />
          <stop offset="1" stopColor="#0f0e0c" stopOpacity="0" />
        </radialGradient>
        <linearGradient id="fade" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0.55" stopColor="#14110d" stopOpacity="0" />
          <stop offset="1" stopColor="#14110d" />
        </linearGradient>
      </defs>
      <rect width="800" height="900" fill="url(#lamp)" />
      <g transform="translate(400 760)">
        {Array.from({ length: CARDS }, (_, index) => {
          const turn = -62 + (index * 124) / (CARDS - 1);
          const light = 0.16 + 0.84 * (index / (CARDS - 1)) ** 1.7;
          return (
            <g key={turn} transform={`rotate(${turn})`}>
              <g
                className="flip"
                style={{ "--from": `${-turn}deg`, animationDelay: `${index * 35}ms` } as CSSProperties}
              >
                <rect
                  x="-92"
                  y="-560"
                  width="184"
                  height="276"
                  rx="12"
                  fill="#1d1812"
                  stroke="#f2b347"
                  strokeOpacity={light}
                  strokeWidth="2"
                />
                <rect x="-76" y="-544" width="152" height="204" rx="5" fill="#f2b347" opacity={light * 0.85} />
                <circle
                  cx={-44 + index * 8.8}
                  cy={-402 - Math.sin((index / (CARDS - 1)) * Math.PI) * 92}
                  r="22"
                  fill="#14110d"
                  opacity="0.85"
                />
                <path d="M-76 -366h152v21a5 5 0 0 1-5 5H-71a5 5 0 0 1-5-5Z" fill="#14110d" opacity="0.4" />
              </g>
            </g>
          );
        })}
      </g>
      <rect width="800" height="900" fill="url(#fade)" />
    </svg>
  );
}
