/** A modal dialog on the browser's own `<dialog>`: it keeps the focus inside, closes on Escape and gives the focus back. */
import { type ReactNode, useEffect, useId, useRef } from "react";
import { strings } from "@/strings";
import { Icon } from "./icons";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  sheet?: boolean;
}

export function Dialog({ title, onClose, children, sheet }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const before = document.activeElement;
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself; the click is on the backdrop only.
    <dialog
      ref={dialog}
      className={sheet ? "dialog dialog--sheet" : "dialog"}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className="dialog__head">
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="icon-button" aria-label={strings.dialog.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div className="dialog__body">{children}</div>
    </dialog>
  );
}

interface ConfirmProps {
  question: string;
  confirm: string;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ question, confirm, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog title={confirm} onClose={onClose}>
      <p>{question}</p>
      <div className="dialog__actions">
        <button type="button" className="button" onClick={onClose}>
          {strings.dialog.cancel}
        </button>
        <button
          type="button"
          className="button button--danger"
          onClick={() => {
            onConfirm();
            onClose();
          }}
        >
          {confirm}
        </button>
      </div>
    </Dialog>
  );
}
