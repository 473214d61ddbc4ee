// Copies a file in three ways, and serves it over HTTP.
const fs = require("fs");
const http = require("http");
const { pipeline } = require("stream/promises");

(async () => {
  fs.copyFileSync("big", "copy");
  fs.writeFileSync("again", fs.readFileSync("big"));
  await pipeline(fs.createReadStream("big"), fs.createWriteStream("streamed"));
  const server = http.createServer((request, response) => fs.createReadStream("big").pipe(response));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  await new Promise((done) =>
    http.get({ port: server.address().port, agent: false }, (response) =>
      response.pipe(fs.createWriteStream("received")).on("finish", done)));
  server.close();
})();
