/** Several who watch one world. */
import type { WorldObserver } from "../world/observer.ts";

/** One observer that tells them all; `undefined` for none, as a world without one pays nothing. */
export function together(observers: readonly WorldObserver[]): WorldObserver | undefined {
  if (observers.length <= 1) return observers[0];
  return {
    sent: (...args) => observers.forEach((observer) => observer.sent(...args)),
    arrived: (...args) => observers.forEach((observer) => observer.arrived(...args)),
    lost: (...args) => observers.forEach((observer) => observer.lost(...args)),
    replica: (...args) => observers.forEach((observer) => observer.replica(...args)),
    process: (...args) => observers.forEach((observer) => observer.process(...args)),
    struck: (...args) => observers.forEach((observer) => observer.struck(...args)),
    asked: (...args) => observers.forEach((observer) => observer.asked(...args)),
    answered: (...args) => observers.forEach((observer) => observer.answered(...args)),
  };
}
