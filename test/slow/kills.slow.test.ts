import { describeKills } from "../unbreakable/suite.ts";

/** Other moments each time: SEED, which the name of the suite tells, repeats them. */
describeKills(Number(process.env.KILLS ?? 500), Number(process.env.SEED ?? Date.now()));
