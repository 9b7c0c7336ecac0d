#!/usr/bin/env bash
# bench_test.sh BENCH TILEWRIGHT: exit 77 without a GPU; else one shape of each table, read back by `validate gpu`.
set -euo pipefail
bench=$1 tilewright=$2
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

# What needs no GPU.
"$bench" --list --table gemm >"$scratch/list"
grep -q '^gemm: ' "$scratch/list"
"$bench" --tabel gemm 2>"$scratch/err" && exit 1 || [ $? -eq 2 ]
grep -q "Did you mean '--table'" "$scratch/err"

printf 'dtype,op,layout,epilogue,batch,m,n,k\nfp32,linear,TN,none,1,256,256,256\n' >"$scratch/gemm.csv"
printf 'dtype,phase,n,c,h,w,k,r,s,pad_h,pad_w,stride_h,stride_w,groups\nfp32,fwd,2,16,14,14,32,3,3,1,1,1,1,1\n' >"$scratch/conv.csv"
printf 'dtype,op,rows,cols,n_inputs\nfp32,softmax,64,1000,1\n' >"$scratch/vector.csv"
for table in gemm conv vector; do
  "$bench" --table $table --shapes "$scratch/$table.csv" -o "$scratch/$table" || exit $?
  [ "$(wc -l <"$scratch/$table/$table.csv")" -eq 2 ] || { cat "$scratch/$table/not_measured.csv"; exit 1; }
  "$tilewright" validate gpu --data "$scratch/$table" >"$scratch/out" || [ $? -eq 1 ]
  grep -q "$table.csv:2" "$scratch/out"
done
