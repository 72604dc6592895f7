export default { files: ['build-h2/test/netfilter/nat/*.test.js'], workerThreads: false };
