/** Form fields with their label, hint and error tied together. */
import { type InputHTMLAttributes, type ReactNode, useId, useState } from "react";
import { strings } from "@/strings";
import { Icon } from "./icons";

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
  error?: string;
}

export function Field({ label, hint, error, ...input }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const control = (
    <input id={id} className="input" aria-describedby={described} aria-invalid={error ? true : undefined} {...input} />
  );
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {input.type === "password" ? (
        <PasswordControl id={id} described={described} error={error} input={input} />
      ) : (
        control
      )}
      {hint && (
        <p className="field__hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p className="field__error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

interface PasswordProps {
  id: string;
  described?: string;
  error?: string;
  input: InputHTMLAttributes<HTMLInputElement>;
}

function PasswordControl({ id, described, error, input }: PasswordProps) {
  const [shown, setShown] = useState(false);
  return (
    <div className="password">
      <input
        {...input}
        id={id}
        className="input"
        type={shown ? "text" : "password"}
        aria-describedby={described}
        aria-invalid={error ? true : undefined}
      />
      <button
        type="button"
        className="icon-button"
        aria-label={shown ? strings.auth.hide : strings.auth.show}
        aria-pressed={shown}
        onClick={() => setShown(!shown)}
      >
        <Icon name={shown ? "eyeOff" : "eye"} />
      </button>
    </div>
  );
}

interface SelectProps<T extends string> {
  label: string;
  value: T;
  onChange: (value: T) => void;
  options: { value: T; label: string }[];
  hint?: string;
  /** For where the choice speaks for itself; screen readers still hear the label. */
  hideLabel?: boolean;
}

export function Select<T extends string>({ label, value, onChange, options, hint, hideLabel }: SelectProps<T>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id} className={hideLabel ? "visually-hidden" : undefined}>
        {label}
      </label>
      <select
        id={id}
        className="input"
        value={value}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.target.value as T)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {hint && (
        <p className="field__hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface SwitchProps {
  label: string;
  /** For where the whole form is read. */
  name?: string;
  hint?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

export function Switch({ label, name, hint, checked, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div className="switch">
      <input
        type="checkbox"
        role="switch"
        name={name}
        aria-checked={checked}
        id={id}
        checked={checked}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.target.checked)}
      />
      <label htmlFor={id}>{label}</label>
      {hint && <p id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

/** What a whole form has to say when the server refused it. */
export function FormError({ children }: { children?: ReactNode }) {
  return (
    <p className="form-error" role="alert">
      {children}
    </p>
  );
}
