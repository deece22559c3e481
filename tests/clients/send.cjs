// Sends numbered events with Segment's client for Node, unmodified. Each line of standard input lets
// it send as many more; the end of the input lets it flush and end.
const { createInterface } = require('node:readline')
const { createRequire } = require('node:module')

const [home, host, writeKey] = process.argv.slice(2)
const { Analytics } = createRequire(`${home}/`)('@segment/analytics-node')

const analytics = new Analytics({ writeKey, host, flushAt: 5, flushInterval: 100, maxRetries: 20 })
analytics.on('error', (problem) => console.error(problem))

let sent = 0
createInterface({ input: process.stdin })
  .on('line', (count) => {
    for (const end = sent + Number(count); sent < end; sent++) {
      analytics.track({ event: 'Step', anonymousId: 'node', properties: { n: sent, text: 'Zoë 😀' } })
    }
  })
  .on('close', () => analytics.closeAndFlush({ timeout: 60000 }).then(() => console.log('done')))
