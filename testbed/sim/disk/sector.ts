/** Units of a disk. */

/** What a disk writes all of or nothing of. */
export const SECTOR_BYTES = 512;

/** What the system writes back, allocates and misdirects. */
export const PAGE_BYTES = 4_096;

/** Sectors of a page. */
export const PAGE_SECTORS = PAGE_BYTES / SECTOR_BYTES;
