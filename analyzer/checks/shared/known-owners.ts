/** Programs that write rules of their own accord, and how their chains and rules are told from a person's. */

export interface KnownOwner {
  /** As people call it. */
  readonly name: string;
  /** Names of the chains that it makes. */
  readonly chains?: RegExp;
  /** Chains that it makes for people to fill: the chain is its own, what stands in it is not. */
  readonly yours?: RegExp;
  /** Chains in which it writes down, one by one, what people tell it, and how such rules are told from its own there: their order is people's doing. */
  readonly told?: { readonly chains: RegExp; readonly rules: RegExp };
  /** How the comments begin that it puts into rules. */
  readonly comments?: RegExp;
  /** Interfaces that it makes: rules in built-in chains that name these and no others are its own. */
  readonly interfaces?: RegExp;
  /** A chain to which it leads what goes to its interfaces: what such rules name is its own as well, however people have called it. */
  readonly serves?: RegExp;
  /** Where it has made chains, it writes no rules into built-in chains but those that lead there. */
  readonly keepsToChains?: true;
  /** It is there only where some chain of the rule set is named like this. */
  readonly telltale?: RegExp;
  /** It is there only where the file begins with a comment like this. */
  readonly header?: RegExp;
  /** It is there only where the file says this somewhere. */
  readonly text?: RegExp;
  /** Where it is there, all rules in built-in chains are its own: it replaces whatever it finds there. */
  readonly takesBuiltIn?: true;
  /** All that it ever does is to refuse packets. */
  readonly refuses?: true;
  /** Its rules in built-in chains of table filter say nothing of addresses and ports: whoever does is a person. */
  readonly isGeneral?: true;
}

const any = /^/u;

/** The first that fits is the owner; those that take whatever is there come last. */
export const knownOwners: readonly KnownOwner[] = [
  { name: 'docker', chains: /^DOCKER(?:-|$)/u, yours: /^DOCKER-USER$/u, interfaces: /^(?:docker0|docker_gwbridge|br-[\da-f]{12})$/u, serves: /^DOCKER$/u, isGeneral: true },
  { name: 'kubernetes', chains: /^(?:KUBE-|IP-MASQ(?:-AGENT)?$)/u, comments: /^(?:kubernetes |ip-masq-agent: |kube-router |NodeLocal DNS Cache: )/u },
  { name: 'calico', chains: /^(?:cali|felix)-/u, comments: /^(?:cali|felix):/u },
  { name: 'cilium', chains: /^(?:OLD_)?CILIUM_/u, comments: /^cilium: /u },
  { name: 'flannel', chains: /^FLANNEL-/u, comments: /^flanneld /u },
  { name: 'weave', chains: /^WEAVE(?:-|$)/u, interfaces: /^weave$/u, isGeneral: true },
  { name: 'azure-npm', chains: /^AZURE-NPM(?:-|$)/u },
  { name: 'istio', chains: /^ISTIO_/u },
  { name: 'netavark', chains: /^NETAVARK[-_]/u, comments: /^netavark firewall rules/u },
  { name: 'cni', chains: /^CNI-/u, yours: /^CNI-ADMIN$/u, comments: /^(?:CNI |name: ")/u, interfaces: /^cni-podman\d+$/u },
  { name: 'libvirt', chains: /^LIBVIRT_/u, interfaces: /^virbr\d+$/u, keepsToChains: true },
  { name: 'antrea', chains: /^ANTREA-/u, comments: /^Antrea: /u },
  { name: 'OVN-Kubernetes', chains: /^OVN-KUBE-/u },
  { name: 'Amazon VPC CNI', chains: /^AWS-(?:SNAT|CONNMARK)-CHAIN-\d+$/u, comments: /^AWS[, ]/u },
  // That nothing leads to its chain any more is people's doing, and they are told.
  { name: 'Oracle Cloud', comments: /^See the Oracle-Provided Images section /u },
  { name: 'OpenShift', chains: /^(?:OPENSHIFT-|OS_FIREWALL_ALLOW$)/u, yours: /^OPENSHIFT-ADMIN-OUTPUT-RULES$/u },
  { name: 'Rancher', chains: /^CATTLE_/u },
  { name: 'Consul', chains: /^CONSUL_(?:PROXY|DNS)_/u },
  { name: 'Kuma', chains: /^KUMA_MESH_/u, comments: /^kuma\//u },
  { name: 'linkerd', chains: /^PROXY_INIT_/u, comments: /^proxy-init\//u },
  {
    // What people allow a machine stands between rules about marks, addresses and DHCP, and before what is done with the rest.
    name: 'Proxmox VE', chains: /^(?:PVEFW-|GROUP-\S+-(?:IN|OUT)$|(?:tap|veth)\d+i\d+-(?:IN|OUT)$)/u, telltale: /^PVEFW-/u,
    told: { chains: /^(?:GROUP-|(?:tap|veth)\d)/u, rules: /^-A \S+ (?!-[jg] )(?!.*(?:PVESIG:|--mark |--mac-source |--match-set PVEFW-|--dport 6[78] |--icmpv6-type ))/u },
  },
  {
    // Rule sets have the names that people give them, and each rule has that and its number as a comment: `WAN_IN-20`, `DST-NAT-10`.
    name: 'VyOS', telltale: /^VYATTA_/u, chains: /^(?:VYATTA_|UBNT_|(?:FW|NAT)_CONNTRACK$)/u, comments: /^\S+-\d+(?: default-action \w+)?$/u, takesBuiltIn: true,
    told: { chains: any, rules: /--comment "?\S+-\d+"? -/u },
  },
  { name: 'UniFi', chains: /^UBIOS_/u },
  {
    name: 'Asuswrt', telltale: /^PTCSRV(?:WAN|LAN)$/u,
    chains: /^(?:[FPV]UPNP|VSERVER|LOCALSRV|PCREDIRECT|DNSFILTER\w*|MAPE|ACCESS_RESTRICTION|INPUT_(?:ICMP|PING)|NSFW|URLFW|OVPN\w*|WGS\w*|PControls|PTCSRV(?:WAN|LAN)|SECURITY\w*|default_block|log(?:accept|drop)|other2wan)$/u,
  },
  { name: 'DD-WRT', telltale: /^(?:lan2wan|trigger_out)$/u, chains: /^(?:(?:adv)?grp_\d+|lan2wan|trigger_(?:in|out)|log(?:accept|drop|reject)|upnp|SECURITY)$/u },
  { name: 'Tomato', telltale: /^wanout$/u, chains: /^(?:wan(?:in|out)|WANPREROUTING|shlimit|monitor|restrict|r\w*\d\d|upnp|logaccept|logdrop|logreject)$/u },
  { name: 'lxd', comments: /^generated for (?:LXD|Incus)/u },
  { name: 'neutron', chains: /^(?:neutron|quantum)-/u },
  { name: 'nova', chains: /^nova-/u },
  { name: 'ironic', chains: /^ironic-inspector$/u },
  { name: 'OpenVPN Access Server', chains: /^AS0_/u },
  { name: 'NetBird', chains: /^NETBIRD-/u, interfaces: /^wt\d+$/u },
  { name: 'NordVPN', comments: /^nordvpn(?:-|$)/u },
  { name: 'NetworkManager', chains: /^nm-sh-(?:in|fw)-/u, comments: /^nm-shared-/u },
  { name: 'mwan3', chains: /^mwan3_/u },
  { name: 'Private Internet Access', chains: /^piavpn\./u },
  { name: 'ConnMan', chains: /^connman-/u },
  { name: 'Keenetic', chains: /^_NDM_/u },
  { name: 'OpenClash', chains: /^openclash(?:_|$)/u },
  { name: 'PassWall', chains: /^PSW2?(?:_|$)/u },
  { name: 'sshuttle', chains: /^sshuttle-(?:[dmt]-)?\d+$/u },
  { name: 'tailscale', chains: /^ts-(?:input|forward|postrouting)$/u },
  { name: 'miniupnpd', chains: /^MINIUPNPD(?:-|$)/u },
  { name: 'fail2ban', chains: /^(?:f2b|fail2ban)-/u, refuses: true },
  { name: 'CrowdSec', chains: /^CROWDSEC_/u, refuses: true },
  { name: 'psad', chains: /^PSAD_BLOCK_/u, refuses: true },
  { name: 'sshguard', chains: /^sshguard$/u, refuses: true },
  // What its configuration opens, it writes down in the same order; whoever writes into its chains by `extraCommands` does it behind that.
  { name: 'NixOS', chains: /^nixos-/u, told: { chains: /^nixos-fw$/u, rules: / -j nixos-fw-accept/u } },
  { name: 'ufw', chains: /^ufw6?-/u, told: { chains: /^ufw6?-user-(?:input|output|forward)$/u, rules: any } },
  {
    name: 'firewalld', telltale: /^(?:INPUT|PREROUTING)_(?:ZONES|direct)$/u, yours: /^[A-Z]+_direct$/u, takesBuiltIn: true, isGeneral: true,
    chains: /^(?:[A-Z]+_(?:direct|POLICIES_pre|POLICIES_post|ZONES(?:_SOURCE)?)|(?:IN|OUT|FWDI|FWDO|FWD|PRE|POST)_\S+)$/u,
  },
  {
    name: 'OpenWrt', telltale: /^(?:delegate_|zone_\w+_)input$/u, comments: /^!fw3/u, takesBuiltIn: true, isGeneral: true,
    chains: /^(?:delegate_\w+|zone_\w+|(?:syn_flood|mssfix|reject)|(?:input|output|forwarding|prerouting|postrouting)_(?:\w+_)?rule)$/u,
    yours: /^(?:input|output|forwarding|prerouting|postrouting)_(?:\w+_)?rule$/u,
  },
  { name: 'CSF', telltale: /^LOCALINPUT$/u, chains: any, takesBuiltIn: true },
  { name: 'APF', telltale: /^TGALLOW$/u, chains: any, takesBuiltIn: true },
  { name: 'arno-iptables-firewall', telltale: /^EXT_(?:INPUT|FORWARD_IN)_CHAIN$/u, chains: any, takesBuiltIn: true },
  {
    // `net-fw`, `net2fw`: what goes from zone to zone, as its file of rules says, between what Shorewall itself asks there.
    name: 'Shorewall', telltale: /^shorewall$/u, chains: any, takesBuiltIn: true,
    told: { chains: /^\w+[-2]\w+$|_dnat$/u, rules: /^(?!.*--(?:dst-type|ctstate|tcp-flags) )/u },
  },
  {
    // Interfaces in their order, and in each of them what clients may ask for: how servers answer is FireHOL's doing.
    name: 'FireHOL', text: /--log-prefix "[^"]*\b(?:IN|OUT|PASS)-unknown:/u, chains: any, takesBuiltIn: true,
    told: { chains: /^(?:INPUT|OUTPUT|(?:in|out)_\w+)$/u, rules: / -j (?:in|out)_| --ctstate NEW,ESTABLISHED /u },
  },
  { name: 'ferm', header: /^# Generated by ferm /mu, chains: any, takesBuiltIn: true },
];
