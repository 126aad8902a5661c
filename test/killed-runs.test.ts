import { describeKills } from "./unbreakable/suite.ts";

describeKills(56, 1);
