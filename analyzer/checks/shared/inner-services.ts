/** Services that are made for those inside, by port: what is behind them, and what a stranger could do with it. */
import type { Severity } from '../../model/diagnostic.js';

export interface InnerService {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  /** Inclusive at both ends. */
  readonly from: number;
  readonly to: number;
  /** `warning`: hardly anybody means to offer it to the world; `info`: some do. */
  readonly severity: Extract<Severity, 'warning' | 'info'>;
}

const service = (severity: InnerService['severity'], protocol: InnerService['protocol'], name: string, from: number, to = from): InnerService => ({ name, protocol, from, to, severity });
const never = (name: string, ...ports: readonly number[]): InnerService[] => ports.map(port => service('warning', 'tcp', name, port));
const seldom = (name: string, ...ports: readonly number[]): InnerService[] => ports.map(port => service('info', 'tcp', name, port));

/** Those that give most away come first. Ports are those that the programs themselves choose, or IANA's. */
export const innerServices: readonly InnerService[] = [
  ...never('the Docker API', 2375, 2376),
  ...never('kubelet', 10_250, 10_255),
  ...never('etcd', 2379, 2380),
  ...never('Docker Swarm', 2377),
  service('warning', 'udp', 'VXLAN', 4789),
  service('warning', 'udp', 'VXLAN', 8472),
  ...never('libvirt', 16_509),
  ...never('the Asterisk Manager', 5038),
  ...never('the FreeSWITCH event socket', 8021),
  ...never('Redis', 6379),
  ...never('MongoDB', 27_017, 27_018, 27_019),
  ...never('Elasticsearch', 9200, 9300),
  ...never('Solr', 8983),
  ...never('memcached', 11_211),
  service('warning', 'udp', 'memcached', 11_211),
  ...never('MySQL', 3306, 33_060),
  ...never('PostgreSQL', 5432),
  ...never('SQL Server', 1433),
  service('warning', 'udp', 'SQL Server', 1434),
  ...never('Oracle Database', 1521),
  ...never('Cassandra', 7199, 9042, 9160),
  ...never('Neo4j', 7474, 7687),
  ...never('Firebird', 3050),
  ...never('CouchDB', 5984),
  ...never('InfluxDB', 8086),
  ...never('ZooKeeper', 2181),
  ...never('Consul', 8500),
  ...never('Kafka', 9092),
  ...never('ActiveMQ', 61_616),
  ...never('MSMQ', 1801),
  ...never('the Erlang port mapper', 4369),
  service('warning', 'udp', 'corosync', 5404, 5405),
  ...never('HDFS', 8020, 9870, 50_070),
  ...never('Spark', 6066, 7077),
  ...never('RCON', 25_575),
  ...never('SMB', 139, 445),
  service('warning', 'udp', 'NetBIOS', 137, 138),
  ...never('MSRPC', 135),
  ...never('AFP', 548),
  ...never('RDP', 3389),
  service('warning', 'udp', 'RDP', 3389),
  service('warning', 'tcp', 'VNC', 5900, 5909),
  service('warning', 'tcp', 'X11', 6000, 6009),
  service('warning', 'udp', 'XDMCP', 177),
  ...never('telnet', 23),
  ...never('rexec and rlogin', 512, 513),
  ...never('rpcbind', 111),
  service('warning', 'udp', 'rpcbind', 111),
  ...never('NFS', 2049),
  service('warning', 'udp', 'NFS', 2049),
  service('warning', 'udp', 'TFTP', 69),
  service('warning', 'udp', 'IPMI', 623),
  service('warning', 'udp', 'SNMP', 161),
  ...never('JMX', 1099),
  ...never('AJP', 8009),
  ...never('GlassFish administration', 4848),
  ...never('WildFly management', 9990),
  ...never('distcc', 3632),
  ...never('LPD', 515),
  service('warning', 'udp', 'SSDP', 1900),
  service('warning', 'udp', 'WS-Discovery', 3702),
  service('warning', 'udp', 'chargen', 19),
  ...never('Modbus', 502),
  ...never('S7', 102),
  ...never('iSCSI', 3260),
  ...never('GlusterFS', 24_007),
  ...never('Salt', 4505, 4506),
  ...seldom('LDAP', 389, 636, 3268, 3269),
  service('info', 'udp', 'LDAP', 389),
  ...seldom('CUPS', 631),
  service('info', 'udp', 'CUPS', 631),
  ...seldom('a printer or the node exporter', 9100),
  ...seldom('Bacula or an exporter', 9101, 9102, 9103),
  ...seldom('rsh or syslog', 514),
  service('info', 'udp', 'syslog', 514),
  ...seldom('the Zabbix agent', 10_050),
  ...seldom('NRPE', 5666),
  ...seldom('Munin', 4949),
  ...seldom('ClickHouse or PHP-FPM', 9000),
  ...seldom('rsync', 873),
  ...seldom('WinRM', 5985, 5986),
  ...seldom('a proxy', 1080, 3128),
  ...seldom('YARN', 8032, 8088),
  ...seldom('Prometheus', 9090),
  ...seldom('the Kubernetes API', 6443),
  ...seldom('RabbitMQ management', 15_672),
  ...seldom('Kibana', 5601),
  ...seldom('Webmin', 10_000),
];

