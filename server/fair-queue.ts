/**
 * Runs tasks one at a time, taking turns between their owners, so that a client with many micro-batches under way does not
 * keep others waiting. Urgent tasks (a commit, which everybody waits for) go first, in order.
 */

export type Task = () => Promise<void>;

export class FairQueue {
  readonly #urgent: Task[] = [];
  /** Tasks of each owner, in order of the owners' turns: the first is next. */
  readonly #owners = new Map<string, Task[]>();
  #running = false;

  /** Tasks that wait. */
  get length(): number {
    let sum = this.#urgent.length;
    for (const tasks of this.#owners.values()) sum += tasks.length;
    return sum;
  }

  pushUrgent(task: Task): void {
    this.#urgent.push(task);
    this.#start();
  }

  push(owner: string, task: Task): void {
    const tasks = this.#owners.get(owner);
    if (tasks === undefined) this.#owners.set(owner, [task]);
    else tasks.push(task);
    this.#start();
  }

  /** Drops what waits for `owner`. A task that runs goes on. */
  clear(owner: string): void {
    this.#owners.delete(owner);
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    for (let task = this.#next(); task !== undefined; task = this.#next()) await task();
    this.#running = false;
  }

  #next(): Task | undefined {
    const urgent = this.#urgent.shift();
    if (urgent !== undefined) return urgent;
    const first = this.#owners.entries().next().value;
    if (first === undefined) return undefined;
    const [owner, tasks] = first;
    const task = tasks.shift();
    // The owner's next turn comes after everybody else's.
    this.#owners.delete(owner);
    if (tasks.length > 0) this.#owners.set(owner, tasks);
    return task;
  }
}
