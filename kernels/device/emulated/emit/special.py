"""Special registers: the C++ that reads each."""

READ = {
    **{f"%{name}.{axis}": f"self->{name}.{axis}"
       for name in ("tid", "ntid", "ctaid", "nctaid", "cluster_ctaid", "cluster_nctaid",
                    "clusterid", "nclusterid")
       for axis in "xyz"},
    "%laneid": "self->lane",
    "%warpid": "self->warp",
    "%nwarpid": "(self->ntid.x * self->ntid.y * self->ntid.z + 31) / 32",
    "%cluster_ctarank": "self->cluster_ctarank",
    "%cluster_nctarank": "self->cluster_nctarank",
    "%is_explicit_cluster": "(self->cluster_nctarank > 1)",
    "%lanemask_eq": "(1u << self->lane)",
    "%lanemask_lt": "((1u << self->lane) - 1)",
    "%lanemask_le": "((2u << self->lane) - 1)",
    "%lanemask_gt": "~((2u << self->lane) - 1)",
    "%lanemask_ge": "~((1u << self->lane) - 1)",
    "%clock": "clock()",
    "%clock_hi": "(clock() >> 32)",
    "%clock64": "clock()",
    "%globaltimer": "clock()",
    "%globaltimer_lo": "clock()",
    "%globaltimer_hi": "(clock() >> 32)",
    "%smid": "0",
    "%nsmid": "1",
    "%gridid": "1",
    "%dynamic_smem_size": "self->dynamic_shared_bytes",
    "WARP_SZ": "32",
}  # fmt: skip
