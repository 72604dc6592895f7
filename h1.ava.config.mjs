export default { files: ['build-h1/test/netfilter/conntrack/**/*.test.js'], workerThreads: false };
