import { type Case, caseOf } from './case.ts';
import type { Judge } from './judge.ts';
import type { Difference, Judged } from './judged.ts';
import { type Program, programOf, type Style } from './program.ts';

/** How many programs are compiled into one module. */
const together = 50;

/** A program that its judges disagree about. */
export interface Disagreement {
  readonly seed: number;
  readonly program: Program;
  readonly difference: Difference;
}

export interface Tally {
  readonly programs: number;
  readonly compiled: number;
  /** Rules that were asked, those that ever had a value, and those with several answers. */
  readonly rules: number;
  readonly defined: number;
  readonly varied: number;
  /** Answers that were compared, and those that the cache had without an evaluation. */
  readonly answers: number;
  readonly hits: number;
  /** Inputs that differ, and not for the rule that was asked. */
  readonly pairs: number;
  /** Modules with regrouped rules, and those that production regroups, too. */
  readonly regrouped: number;
  readonly usual: number;
  /** Answers that npm's host was asked for, too. */
  readonly sdkAnswers: number;
  readonly disagreements: readonly Disagreement[];
}

const nothing: Tally = {
  programs: 0,
  compiled: 0,
  rules: 0,
  defined: 0,
  varied: 0,
  answers: 0,
  hits: 0,
  pairs: 0,
  regrouped: 0,
  usual: 0,
  sdkAnswers: 0,
  disagreements: [],
};

const counted = (tally: Tally, judged: readonly Judged[], disagreements: readonly Disagreement[]): Tally => {
  const answers = judged.flatMap((one) => [...one.answers.values()].map((texts) => Object.values(texts)));
  const sum = (of: (one: Judged) => number): number => judged.reduce((all, one) => all + of(one), 0);
  return {
    programs: tally.programs + judged.length,
    compiled: tally.compiled + sum(({ invalid }) => (invalid === undefined ? 1 : 0)),
    rules: tally.rules + answers.length,
    defined: tally.defined + answers.filter((texts) => texts.some((text) => text !== 'undefined')).length,
    varied: tally.varied + answers.filter((texts) => new Set(texts).size > 1).length,
    answers: tally.answers + answers.reduce((all, texts) => all + texts.length, 0),
    hits: tally.hits + sum(({ hits }) => hits),
    pairs: tally.pairs + sum(({ pairs }) => pairs),
    regrouped: tally.regrouped + (judged.some(({ isRegrouped }) => isRegrouped) ? 1 : 0),
    usual: tally.usual + (judged.some(({ isUsual }) => isUsual) ? 1 : 0),
    sdkAnswers: tally.sdkAnswers + sum(({ sdkAnswers }) => sdkAnswers),
    disagreements: [...tally.disagreements, ...disagreements],
  };
};

/** Judges the programs of as many seeds, half of either style, for as long as it is asked to go on. */
export const campaign = async (
  judge: Judge,
  seed: number,
  count: number,
  goesOn: (tally: Tally) => boolean = () => true,
): Promise<Tally> => {
  let tally = nothing;
  for (let at = 0; at < count && goesOn(tally); at += together) {
    const style: Style = (at / together) % 2 === 0 ? 'grouped' : 'mocked';
    const seeds = Array.from({ length: Math.min(together, count - at) }, (_, index) => seed + at + index);
    const programs = seeds.map((one) => programOf(one, style));
    const cases: readonly Case[] = programs.map(caseOf);
    const judged = await judge.judge(cases);
    const disagreements = judged.flatMap(({ differences: [difference] }, index) =>
      difference === undefined
        ? []
        : [{ seed: seeds[index] as number, program: programs[index] as Program, difference }],
    );
    tally = counted(tally, judged, disagreements);
  }
  return tally;
};
