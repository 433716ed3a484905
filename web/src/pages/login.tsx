/** The door: log in, make an account, or open the house for the first time. */
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
  const enter = useEnter();
  const { next } = useSearch({ from: "/login" });
  const logIn = useMutation({ mutationFn: api.logIn, onSuccess: () => enter(next) });
  return (
    <Door
      name={words.logIn}
      title={words.logInTitle}
      lead={words.logInLead}
      attempt={logIn}
      onSubmit={(value) => logIn.mutate({ email: value("email"), password: value("password") })}
      instead={
        <>
          {words.toRegister}{" "}
          <Link to="/register" search={{ next }} className="link">
            {words.register}
          </Link>
        </>
      }
    >
      <Field label={words.email} name="email" type="email" autoComplete="username" required autoFocus />
      <Field label={words.password} name="password" type="password" autoComplete="current-password" required />
    </Door>
  );
}

export function RegisterPage() {
  const enter = useEnter();
  const { next } = useSearch({ from: "/register" });
  const register = useMutation({ mutationFn: api.register, onSuccess: () => enter("/welcome") });
  return (
    <Door
      name={words.register}
      title={words.registerTitle}
      lead={words.registerLead}
      attempt={register}
      onSubmit={(value) => register.mutate(newcomer(value))}
      instead={
        <>
          {words.toLogIn}{" "}
          <Link to="/login" search={{ next }} className="link">
            {words.logIn}
          </Link>
        </>
      }
    >
      <NewcomerFields error={register.error} autoFocus />
    </Door>
  );
}

/** The first evening: the house has no admin yet, and whoever started it holds a one-time token. */
export function SetUpPage() {
  const enter = useEnter();
  const { token } = useSearch({ from: "/setup" });
  const setUp = useMutation({ mutationFn: api.setUp, onSuccess: () => enter("/admin/import") });
  return (
    <Door
      name={words.setUp}
      title={words.setUpTitle}
      lead={words.setUpLead}
      attempt={setUp}
      wrong={words.tokenWrong}
      onSubmit={(value) => setUp.mutate({ token: value("token").trim(), ...newcomer(value) })}
    >
      <Field
        label={words.token}
        name="token"
        defaultValue={token}
        required
        autoComplete="off"
        spellCheck={false}
        hint={words.tokenHint}
        error={fieldsOf(setUp.error).token}
      />
      <NewcomerFields error={setUp.error} />
    </Door>
  );
}

/** Who somebody new is, and what the server has to say about it. */
function NewcomerFields({ error, autoFocus }: { error: Error | null; autoFocus?: boolean }) {
  const fields = fieldsOf(error);
  return (
    <>
      <Field
        label={words.name}
        name="name"
        autoComplete="name"
        required
        maxLength={60}
        autoFocus={autoFocus}
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
    </>
  );
}

/** What was typed into the field of this name. */
type Value = (name: string) => string;

const newcomer = (value: Value) => ({ name: value("name"), email: value("email"), password: value("password") });

const fieldsOf = (error: Error | null) => (error instanceof Problem ? error.fields : {});

/** Why the door stayed shut; `wrong` is said of what the server does not know. */
function refusal(error: Error, wrong: string): string {
  if (!(error instanceof Problem)) return strings.states.errorLead;
  if (error.offline) return strings.states.unreachable;
  if (error.status === 401) return wrong;
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
    if (mustChoose(me)) await navigate({ to: "/profiles", search: { next }, replace: true });
    else await navigate({ href: next ?? "/", replace: true });
  };
}

interface DoorProps {
  /** Of the page and of the button that sends the form. */
  name: string;
  title: string;
  lead: string;
  attempt: { error: Error | null; isPending: boolean };
  onSubmit: (value: Value) => void;
  wrong?: string;
  /** The other way in. */
  instead?: ReactNode;
  children: ReactNode;
}

/** A form beside the deck: its fields are the children. */
function Door({ name, title, lead, attempt, onSubmit, wrong = words.wrong, instead, children }: DoorProps) {
  usePageTitle(name);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onSubmit((field) => String(form.get(field) ?? ""));
  };
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
          <form onSubmit={submit} className="door__form">
            {children}
            <FormError>{attempt.error ? refusal(attempt.error, wrong) : null}</FormError>
            <button type="submit" className="button button--primary" disabled={attempt.isPending}>
              {name}
            </button>
            {instead && <p className="muted">{instead}</p>}
          </form>
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
