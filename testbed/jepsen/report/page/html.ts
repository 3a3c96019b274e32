/** The frame of a page that may ask nobody for anything and run nothing but its own script. */
import { createHash } from "node:crypto";
import { escapeHtml } from "../text/escape.ts";

/** Parts of a page; `body` is HTML. */
export interface PageParts {
  readonly title: string;
  readonly style: string;
  readonly body: string;
  /** Data for the script, by id; base64 or JSON without `<`. */
  readonly data?: Readonly<Record<string, string>>;
  readonly script?: string;
}

/** A whole document. */
export function htmlPage({ title, style, body, data = {}, script }: PageParts): string {
  const elements = Object.entries(data).map(([id, text]) =>
    `<script type="application/octet-stream" id="${id}">${text}</script>\n`
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(style, script)}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
${elements.join("")}${script === undefined ? "" : `<script>${script}</script>\n`}</body>
</html>
`;
}

function policy(style: string, script: string | undefined): string {
  const scripts = script === undefined ? "" : ` script-src '${hashOf(script)}';`;
  return `default-src 'none';${scripts} style-src '${
    hashOf(style)
  }'; base-uri 'none'; form-action 'none'`;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
