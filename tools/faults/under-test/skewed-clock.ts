/** Lets the clock of this process go wrong by so many milliseconds, as far as `Date` shows it. */
export function skewClock(by: number): void {
  const RealDate = Date
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given: ConstructorParameters<DateConstructor> | []) =>
      given.length === 0 ? new target(target.now() + by) : Reflect.construct(target, given),
    get: (target, property) =>
      property === 'now' ? () => target.now() + by : (Reflect.get(target, property) as unknown),
  })
}
