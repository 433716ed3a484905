/** A poster or backdrop in its own proportions; the space is kept before it arrives, and stays calm if it never does. */
import { useState } from "react";

interface ArtworkProps {
  src: string;
  wide?: boolean;
  /** First on the page: loaded at once and ahead of the rest. */
  eager?: boolean;
  className?: string;
}

export function Artwork({ src, wide, eager, className }: ArtworkProps) {
  const [failed, setFailed] = useState(false);
  const shape = wide ? "artwork artwork--wide" : "artwork";
  return (
    <span className={className ? `${shape} ${className}` : shape}>
      {!failed && (
        <img
          src={src}
          alt=""
          width={wide ? 640 : 400}
          height={wide ? 360 : 600}
          loading={eager ? "eager" : "lazy"}
          fetchPriority={eager ? "high" : "auto"}
          decoding="async"
          draggable={false}
          onError={() => setFailed(true)}
        />
      )}
    </span>
  );
}

/**
 * A backdrop behind words. Drawn backdrops carry their title on the left half: only the side with the picture is shown,
 * and it fades into the page, so that no name stands twice.
 */
export function Scene({ src }: { src: string }) {
  const [failed, setFailed] = useState(false);
  return (
    <>
      {!failed && <img className="glow" src={src} alt="" decoding="async" draggable={false} />}
      <div className="scene">
        {!failed && (
          <img
            src={src}
            alt=""
            fetchPriority="high"
            decoding="async"
            draggable={false}
            onError={() => setFailed(true)}
          />
        )}
      </div>
    </>
  );
}
