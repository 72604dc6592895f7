/** Who opens a connection gets one of these ports, unless he chooses another: `net.ipv4.ip_local_port_range` as the kernel has it at first. Inclusive at both ends. */
export const localPorts = { low: 32_768, high: 60_999 } as const;
