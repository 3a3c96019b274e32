declare const brand: unique symbol;

/** A `T` at run time that the compiler keeps apart from every other `T`. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A position in a table, 0-based; meaningful only together with its table. */
export type Row = Brand<number, "Row">;

/** No row: what a lookup answers when nothing is there. */
export const NO_ROW: Row = -1 as Row;
