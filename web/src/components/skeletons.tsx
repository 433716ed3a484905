/** Calm grey shapes of the final sizes, so that nothing jumps when the pictures come. */

const indices = (count: number) => Array.from({ length: count }, (_, index) => index);

export function RowSkeleton({ wide }: { wide?: boolean }) {
  return (
    <div className="row" aria-hidden="true">
      <div className="row__head">
        <div className="skeleton" style={{ inlineSize: "12rem", blockSize: "1.6rem" }} />
      </div>
      <div className="row__body">
        <div className={wide ? "row__list row__list--wide" : "row__list"} style={{ overflow: "hidden" }}>
          {indices(10).map((index) => (
            <div key={index}>
              <div className={wide ? "skeleton artwork artwork--wide" : "skeleton artwork"} />
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

export function HomeSkeleton() {
  return (
    <>
      <div className="hero hero--skeleton" aria-hidden="true">
        <div className="hero__words">
          <div className="skeleton" style={{ inlineSize: "7rem", blockSize: "1.2rem" }} />
          <div className="skeleton" style={{ inlineSize: "min(28rem, 80vw)", blockSize: "4.5rem" }} />
          <div className="skeleton" style={{ inlineSize: "min(22rem, 70vw)", blockSize: "1.4rem" }} />
          <div className="hero__actions">
            <div className="skeleton" style={{ inlineSize: "8rem", blockSize: "3rem" }} />
            <div className="skeleton" style={{ inlineSize: "8rem", blockSize: "3rem" }} />
          </div>
        </div>
      </div>
      <div className="rows">
        <RowSkeleton wide />
        <RowSkeleton />
        <RowSkeleton />
      </div>
    </>
  );
}

export function GridSkeleton({ count = 18 }: { count?: number }) {
  return (
    <div className="grid" aria-hidden="true">
      {indices(count).map((index) => (
        <div key={index} className="skeleton artwork" />
      ))}
    </div>
  );
}

export function ListSkeleton({ count = 6 }: { count?: number }) {
  return (
    <div className="entries" aria-hidden="true">
      {indices(count).map((index) => (
        <div key={index} className="skeleton" style={{ blockSize: "6rem" }} />
      ))}
    </div>
  );
}
