// What the scripts say, in the language of the page; WORDS stands in front of this.
const say = (text, ...values) => (WORDS[text] ?? text).replace(/\{(\d)\}/g, (_, number) => values[number]);
