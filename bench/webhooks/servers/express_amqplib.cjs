// Express with Stripe's own constructEvent and one confirm channel of amqplib.
// node express_amqplib.cjs <port> <amqp url> <queue> <webhook secret>
const express = require('express');
const amqp = require('amqplib');
const stripe = require('stripe')('sk_test_bench');

const [port, url, queue, secret] = process.argv.slice(2);

async function main() {
  const connection = await amqp.connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  const app = express();
  app.post('/webhooks/stripe', express.raw({ type: '*/*', limit: '1mb' }), (request, response) => {
    let event;
    try {
      event = stripe.webhooks.constructEvent(request.body, request.headers['stripe-signature'], secret);
    } catch (error) {
      return response.status(400).send('bad signature');
    }
    if (event.type !== 'checkout.session.completed') return response.send('ignored');
    const body = Buffer.from(JSON.stringify({ event: event.id, session: event.data.object.id }));
    channel.publish('', queue, body, { persistent: true, mandatory: true }, (error) => {
      response.status(error ? 503 : 200).send(error ? 'try again' : 'ok');
    });
  });
  app.listen(Number(port), '127.0.0.1');
}

main();
