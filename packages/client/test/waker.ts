/** Waits for what a test looks for, looking again whenever something happened. */
export function waker(): {
  wake(): void;
  until<Value>(look: () => Value | undefined | false): Promise<Value>;
} {
  const looks = new Set<() => void>();
  return {
    wake: () => looks.forEach((look) => look()),
    until: (look) =>
      new Promise((resolve, reject) => {
        const again = (): void => {
          try {
            const value = look();
            if (value === undefined || value === false) return;
            looks.delete(again);
            resolve(value);
          } catch (error) {
            looks.delete(again);
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        };
        looks.add(again);
        again();
      }),
  };
}
