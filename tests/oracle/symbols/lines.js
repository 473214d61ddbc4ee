const fs = require('fs');

function put(file, bytes) { /* put begins */
  for (let i = 0; i < 200; i++)
    fs.writeSync(file, bytes, 0, bytes.length, 0);
}

put(fs.openSync(process.argv[2], 'w'), Buffer.alloc(65536));
