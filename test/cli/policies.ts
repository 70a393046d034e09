/** Small policies that the tests of the command share. */
export const goodPolicy = `package shop

# METADATA
# entrypoint: true
default allow := false

allow if "buyer" in data.shop.roles[input.user]
`;

export const goodData = '{"shop": {"roles": {"alice": ["buyer"], "bob": []}}}\n';

export const goodTests = `package shop_test

import data.shop

test_buyers_may if shop.allow with input as {"user": "alice"}

test_others_may_not if not shop.allow with input as {"user": "bob"}
`;

export const good = { 'shop.rego': goodPolicy, 'data.json': goodData, 'shop_test.rego': goodTests };

/** Two files, three mistakes. */
export const broken = {
  'shop.rego': 'package shop\n\nallow if {\n\tinput.user == nobody\n\tcount(input.cart) > limit\n}\n',
  'other/other.rego': 'package other\n\nallow if somebody == input.user\n',
};

export const failing = {
  ...good,
  'more_test.rego': `package shop_test

test_everybody_may if {
	print("asking for", "bob")
	data.shop.allow with input as {"user": "bob"}
}
`,
};
