// Asks Verdict whether a subject may do something. Node 20 or newer, nothing to install.
//   node ask.mjs bob approve ann

const server = process.env.VERDICT_URL ?? 'http://127.0.0.1:8181';

/** Resolves with the decision; anything but a clear yes is a no, an answer that does not come included. */
export const mayI = async (question) => {
  try {
    const response = await fetch(`${server}/leave/access/v1/evaluation`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(question),
      redirect: 'error',
      signal: AbortSignal.timeout(1000),
    });
    const answer = await response.json();
    return {
      allowed: response.ok && answer.decision === true,
      reasons: answer.context?.reasons ?? [],
      id: response.headers.get('verdict-decision-id'),
    };
  } catch (error) {
    return { allowed: false, reasons: [`no decision: ${error.message}`], id: null };
  }
};

const [subject, action, employee] = process.argv.slice(2);
if (employee === undefined) {
  console.error('usage: node ask.mjs SUBJECT ACTION EMPLOYEE');
  process.exit(2);
}
const { allowed, reasons, id } = await mayI({
  subject: { type: 'user', id: subject },
  action: { name: action },
  resource: { type: 'leave', id: '17', properties: { employee } },
});
console.log(allowed ? 'yes' : 'no', reasons.join('; '));
console.error(`decision ${id}`);
