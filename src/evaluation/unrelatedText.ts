/**
 * A text that has nothing to do with anyone's code, written for this program: prose, and code in languages that few workspaces mix. How
 * much worse an adapter predicts it than its base tells what the adapter has made the model forget.
 */
export const unrelatedTexts: readonly { readonly beginning: string; readonly text: string }[] = [
  {
    beginning: 'The harbour lies where the river meets the sea.',
    text: ' In winter the fishing boats stay behind the long wall, and the gulls have the quay to themselves. When the ice breaks in March, the first boat that leaves is followed by children who run along the stones and wave. Nobody remembers who began the custom, but the captain always answers with three short blasts of the horn.',
  },
  {
    beginning: 'Water boils at a lower temperature in the mountains',
    text: ' because there is less air above it, and so less pressure on its surface. At three thousand metres it boils at about ninety degrees Celsius. An egg therefore takes longer to cook there, although the water bubbles just as it does at home.',
  },
  {
    beginning: 'Dear Ms. Okafor,\n\nThank you for your letter of 4 May.',
    text: ' We are sorry that the lamp arrived with a broken shade. A new one left our warehouse this morning and should reach you by the end of the week. You need not send the old one back. If anything else is missing, please call us between nine and five.\n\nYours sincerely,',
  },
  {
    beginning: 'SELECT customers.name, SUM(orders.total) AS spent',
    text: "\nFROM customers\nJOIN orders ON orders.customer_id = customers.id\nWHERE orders.created_at >= DATE '2024-01-01'\nGROUP BY customers.name\nHAVING SUM(orders.total) > 1000\nORDER BY spent DESC\nLIMIT 10;\n",
  },
  {
    beginning: '#!/bin/sh\n# Keeps the ten newest backups.\nset -eu\n',
    text: 'cd "$HOME/backups"\nls -1t *.tar.gz | tail -n +11 | while read -r file; do\n  echo "removing $file"\n  rm -- "$file"\ndone\n',
  },
  {
    beginning: 'def greatest_common_divisor(a, b):\n',
    text: '    """Euclid\'s algorithm."""\n    while b != 0:\n        a, b = b, a % b\n    return abs(a)\n',
  },
];
