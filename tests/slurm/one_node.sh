#!/usr/bin/env bash
# A study as an array job on a Slurm of one node, started here by hand: one task is put back into the queue while it runs, and the merged
# table is compared with that of a run without Slurm. Needs root and the packages slurm-wlm and munge; exit code 77 without them.
# usage: one_node.sh PROGRAM
set -euo pipefail
program=$(readlink -f "$1")

skip() {
  echo "skipped: $*"
  exit 77
}
fail() {
  echo "failed: $*"
  tail -n 20 "$work"/*.log "$work"/results/*.log 2>/dev/null || true
  exit 1
}
PATH=$PATH:/usr/sbin
for tool in slurmctld slurmd munged sbatch scontrol; do
  command -v "$tool" >/dev/null || skip "$tool is not here; install slurm-wlm and munge"
done
[ "$(id -u)" -eq 0 ] || skip "slurmctld and slurmd run by hand need root"

work=$(mktemp -d)
daemons=()
clean() {
  for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${daemons[@]}"; do wait "$pid" 2>/dev/null || true; done
  if [ -f "$work/munged.pid" ]; then
    munged_pid=$(cat "$work/munged.pid")
    kill "$munged_pid" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$munged_pid" 2>/dev/null && sleep 0.1; done  # it writes its seed as it ends
  fi
  rm -rf "$work"
}
trap clean EXIT
chmod 755 "$work"
mkdir "$work/spool" "$work/state"

dd if=/dev/urandom of="$work/munge.key" bs=1024 count=1 2>/dev/null
chmod 400 "$work/munge.key"
munged --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munged.pid" \
  --log-file="$work/munged.log" --seed-file="$work/munged.seed" || skip "munged does not start here"

port=$((20000 + $$ % 20000))
host=$(hostname -s)
cat >"$work/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket,cred_expire=5
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=10
MinJobAge=300
SchedulerParameters=sched_interval=5,batch_sched_delay=0
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$work/slurm.conf
slurmctld -D >"$work/controller.log" 2>&1 &
daemons+=($!)
slurmd -D >"$work/node.log" 2>&1 &
daemons+=($!)
for _ in $(seq 100); do
  [ "$(sinfo -h -o %t 2>/dev/null)" = idle ] && break
  for pid in "${daemons[@]}"; do
    kill -0 "$pid" 2>/dev/null || skip "a Slurm daemon does not run here: $(tail -n 2 "$work/controller.log" "$work/node.log")"
  done
  sleep 0.2
done
[ "$(sinfo -h -o %t)" = idle ] || skip "the node does not come up: $(sinfo -h -N -o '%N %t %E')"

cat >"$work/study.yaml" <<'STUDY'
study: slurm-test
workloads: ["gemm:m=64,n=32,k=16", "gemm:m=96,n=48,k=24"]
chips: [edge-systolic-16x16]
vary:
  chip.compute.rows: [4, 6, 8, 12, 16]
  chip.compute.cols: [4, 6, 8, 12]
  chip.levels.DRAM.bandwidth: {log_range: [1 GB/s, 16 GB/s], points: 200}
STUDY
cd "$work"
"$program" sweep study.yaml -o results --submit slurm --tasks 2 --sbatch=--time=5 | tee submitted.txt
job=$(sed -n 's/.*: job \([0-9]*\) of 2 tasks.*/\1/p' submitted.txt)
[ -n "$job" ] || fail "no job number"

# The first shard is put back as soon as it has stored something.
for _ in $(seq 300); do
  [ -s results/points-1of2.sqlite-wal ] && [ "$(stat -c %s results/points-1of2.sqlite-wal)" -gt 100000 ] && break
  sleep 0.1
done
scontrol requeue "${job}_1" || fail "the first task ended before it could be put back"
requeued=$(date +%s)

for _ in $(seq 900); do
  [ -z "$(squeue -h -t all -o '%i %T' | grep -v -e COMPLETED -e FAILED -e CANCELLED)" ] && break
  sleep 0.2
done
squeue -h -t all -o '%i %T %r'
states=$(squeue -h -t all -o %T | sort -u)
[ "$states" = COMPLETED ] || fail "jobs ended as: $states"
restarts=$(scontrol show job "${job}_1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p' | head -n 1)
[ "${restarts:-0}" -ge 1 ] || fail "the first task was not restarted"
grep -q "from before" results/slurm-"${job}"_1.log || fail "the restarted task did not go on from its store"

"$program" sweep study.yaml -o direct --progress none --jobs 1 >/dev/null
"$program" export results >merged.csv
"$program" export direct >direct.csv
cmp merged.csv direct.csv || fail "the merged table differs"
echo "merged after a requeue ($(($(date +%s) - requeued)) s later, restarts: $restarts): $(wc -l <merged.csv) lines, equal to a direct run"
