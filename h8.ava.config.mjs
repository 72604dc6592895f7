export default { files: ['build-h8/test/**/*.test.js'], workerThreads: false };
