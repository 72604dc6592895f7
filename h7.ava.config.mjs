export default {files:['build-h7/test/**/*.test.js'], workerThreads:false}
