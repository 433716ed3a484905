/** Titles as a grid that goes on by itself when its end comes into view, and by a button for those who prefer one. */
import { type ReactNode, useEffect, useId, useRef } from "react";
import type { Card as CardData } from "@/api/types";
import { strings } from "@/strings";
import { Card } from "./card";
import { useRoving } from "./roving";

interface GridProps {
  cards: CardData[];
  label: string;
  eager?: number;
}

export function CardGrid({ cards, label, eager = 12 }: GridProps) {
  const helpId = useId();
  const keys = useRoving(cards.length);
  return (
    <>
      <p id={helpId} className="visually-hidden">
        {strings.home.rowHelp}
      </p>
      <ul className="grid" aria-label={label} aria-describedby={helpId} onKeyDown={keys.onKeyDown}>
        {cards.map((card, index) => (
          <li key={card.id} onFocus={() => keys.setActive(index)}>
            <Card
              card={card}
              eager={index < eager}
              tabIndex={index === keys.active ? 0 : -1}
              linkRef={(element) => keys.register(index, element)}
            >
              <p className="tile__name" aria-hidden="true">
                {card.name}
              </p>
            </Card>
          </li>
        ))}
      </ul>
    </>
  );
}

interface MoreProps {
  hasMore: boolean;
  loading: boolean;
  onMore: () => void;
  children: ReactNode;
}

export function More({ hasMore, loading, onMore, children }: MoreProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element || !hasMore || loading) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && onMore(), { rootMargin: "600px" });
    observer.observe(element);
    return () => observer.disconnect();
  }, [hasMore, loading, onMore]);
  if (!hasMore) return null;
  return (
    <div className="more" ref={place}>
      <button type="button" className="button" disabled={loading} onClick={onMore}>
        {children}
      </button>
    </div>
  );
}
