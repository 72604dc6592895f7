export default {files:['build-h4/test/netfilter/host/**/*.test.js','build-h4/test/kernel/routing.test.js','build-h4/test/cli/collect.test.js'], workerThreads:false, timeout: '5m'}
