//! The lab that teaches what a number stands on.

use crate::catalogue::{FunctionId, ProbeId, RuleId, Tracepoint};
use crate::model::Evidence;

/// The lab that teaches what a probe or rule sees; `None`: none in particular.
pub fn lab(evidence: Evidence) -> Option<&'static str> {
    use Evidence::{Inferred, Measured};
    Some(match evidence {
        Inferred(RuleId::DirectRemoteNotSeen)
        | Inferred(RuleId::DirectReadFellBack)
        | Inferred(RuleId::DirectReadNotCopied)
        | Inferred(RuleId::DirectHoleFilled)
        | Inferred(RuleId::DirectWriteFellBack)
        | Inferred(RuleId::DirectWriteNotCopied) => "direct-io",
        Inferred(RuleId::ReadReturnsCopied)
        | Inferred(RuleId::HoleReadFilled)
        | Measured(ProbeId::Tracepoint(Tracepoint::block_bio_queue))
        | Measured(ProbeId::Tracepoint(Tracepoint::block_split))
        | Measured(ProbeId::Tracepoint(Tracepoint::block_rq_issue))
        | Measured(ProbeId::Tracepoint(Tracepoint::block_rq_complete))
        | Measured(ProbeId::Tracepoint(Tracepoint::block_bio_complete)) => "page-cache",
        Inferred(RuleId::ShmemReadCopied)
        | Inferred(RuleId::ShmemWriteCopied)
        | Inferred(RuleId::PrivateShmemWriteCopied)
        | Inferred(RuleId::ShmemPageZeroed)
        | Inferred(RuleId::ShmemPageMapped)
        | Measured(ProbeId::Tracepoint(Tracepoint::net_dev_start_xmit))
        | Measured(
            ProbeId::Function(FunctionId::shmem_file_read_iter)
            | ProbeId::Kprobe(FunctionId::shmem_file_read_iter),
        ) => "is-it-dma",
        Inferred(RuleId::PipeReadCopied)
        | Inferred(RuleId::PipeWriteCopied)
        | Inferred(RuleId::ProcessVmCopied)
        | Inferred(RuleId::ProcessMemoryCopied)
        | Inferred(RuleId::ProcessWordPoked)
        | Measured(
            ProbeId::Function(FunctionId::pipe_read) | ProbeId::Kprobe(FunctionId::pipe_read),
        )
        | Measured(
            ProbeId::Function(FunctionId::pipe_write) | ProbeId::Kprobe(FunctionId::pipe_write),
        )
        | Measured(
            ProbeId::Function(FunctionId::pipe_to_user) | ProbeId::Kprobe(FunctionId::pipe_to_user),
        )
        | Measured(
            ProbeId::Function(FunctionId::add_to_pipe) | ProbeId::Kprobe(FunctionId::add_to_pipe),
        ) => "ipc",
        Inferred(RuleId::ReceiveDiscarded)
        | Inferred(RuleId::ReceiveCopied)
        | Inferred(RuleId::ReceiveCutUndecided)
        | Inferred(RuleId::SendCopied)
        | Inferred(RuleId::RingShared)
        | Inferred(RuleId::SendfileShared)
        | Inferred(RuleId::SendfileCopied)
        | Inferred(RuleId::ReceivedFromNic)
        | Inferred(RuleId::ArrivedAtPort)
        | Inferred(RuleId::NetworkFileCopied)
        | Measured(ProbeId::Tracepoint(Tracepoint::skb_copy_datagram_iovec))
        | Measured(
            ProbeId::Function(FunctionId::skb_copy_datagram_from_iter)
            | ProbeId::Kprobe(FunctionId::skb_copy_datagram_from_iter),
        )
        | Measured(
            ProbeId::Function(FunctionId::skb_copy_ubufs)
            | ProbeId::Kprobe(FunctionId::skb_copy_ubufs),
        ) => "sendfile",
        Inferred(RuleId::ReceiveZerocopy)
        | Inferred(RuleId::SendZerocopyShared)
        | Inferred(RuleId::SendZcShared)
        | Inferred(RuleId::ZerocopyLateCopy)
        | Measured(
            ProbeId::Function(FunctionId::skb_zerocopy_iter_stream)
            | ProbeId::Kprobe(FunctionId::skb_zerocopy_iter_stream),
        )
        | Measured(
            ProbeId::Function(FunctionId::tcp_zerocopy_receive)
            | ProbeId::Kprobe(FunctionId::tcp_zerocopy_receive),
        ) => "zerocopy-send",
        Inferred(RuleId::TlsEncrypted) => "encrypted",
        Inferred(RuleId::WriteCopied)
        | Inferred(RuleId::KernelWriteCopied)
        | Inferred(RuleId::CopiedUp)
        | Inferred(RuleId::CoreDumped) => "write-back",
        Inferred(RuleId::SpliceDiscarded)
        | Inferred(RuleId::SpliceToDirectNotCopied)
        | Inferred(RuleId::SpliceFromDirectShared)
        | Inferred(RuleId::SpliceFileShared)
        | Inferred(RuleId::SplicePipeToSocketShared)
        | Inferred(RuleId::SplicePipeToPipeShared)
        | Inferred(RuleId::SplicePipeToFileCopied)
        | Inferred(RuleId::SpliceSocketShared)
        | Inferred(RuleId::SpliceSourceCopied)
        | Inferred(RuleId::SpliceZerosFilled)
        | Inferred(RuleId::SpliceZerosCopied)
        | Inferred(RuleId::TeeShared)
        | Inferred(RuleId::VmspliceShared)
        | Inferred(RuleId::VmspliceCopied)
        | Measured(
            ProbeId::Function(FunctionId::splice_folio_into_pipe)
            | ProbeId::Kprobe(FunctionId::splice_folio_into_pipe),
        )
        | Measured(
            ProbeId::Function(FunctionId::skb_splice_from_iter)
            | ProbeId::Kprobe(FunctionId::skb_splice_from_iter),
        )
        | Measured(
            ProbeId::Function(FunctionId::splice_to_pipe)
            | ProbeId::Kprobe(FunctionId::splice_to_pipe),
        )
        | Measured(ProbeId::Function(FunctionId::do_tee) | ProbeId::Kprobe(FunctionId::do_tee)) => {
            "splice"
        }
        Inferred(RuleId::CopyRangeRemote)
        | Inferred(RuleId::CopyRangeReflinked)
        | Inferred(RuleId::CopyRangeUndecided)
        | Inferred(RuleId::CopyRangeCopied)
        | Inferred(RuleId::ReflinkShared) => "copy-files",
        Inferred(RuleId::PopulateCopied)
        | Inferred(RuleId::PopulateMapped)
        | Inferred(RuleId::PrivateFileWriteCopied)
        | Inferred(RuleId::FaultAroundRange)
        | Inferred(RuleId::FilePageMapped) => "mmap",
        Inferred(RuleId::UserfaultCopied)
        | Inferred(RuleId::UserfaultZeroPageMapped)
        | Inferred(RuleId::CowFaultCopied)
        | Inferred(RuleId::CowFilePageCopied)
        | Inferred(RuleId::CowShmemPageCopied)
        | Inferred(RuleId::CowUnknownPageCopied)
        | Inferred(RuleId::ZeroPageMapped)
        | Measured(ProbeId::Tracepoint(Tracepoint::mm_page_alloc)) => "memory",
        // Every rule is listed: a new one has to say.
        Inferred(RuleId::ZerosFilled)
        | Inferred(RuleId::KernelReadCopied)
        | Inferred(RuleId::ErrorQueueRead)
        | Inferred(RuleId::WriteDiscarded)
        | Inferred(RuleId::FuseNotAsked)
        | Inferred(RuleId::FuseReadCopied)
        | Inferred(RuleId::FuseWriteCopied)
        | Inferred(RuleId::FuseSplicedFrom)
        | Inferred(RuleId::FuseSplicedTo)
        | Inferred(RuleId::CryptoNotTold)
        | Inferred(RuleId::HashedInPlace)
        | Inferred(RuleId::HashRead)
        | Inferred(RuleId::Ciphered)
        | Inferred(RuleId::FirstTouchZeroed)
        | Inferred(RuleId::LargeFolioZeroed)
        | Inferred(RuleId::SoftwareDeviceCopied)
        | Inferred(RuleId::ZramCompressed)
        | Inferred(RuleId::LoopByReference)
        | Inferred(RuleId::HandedOn)
        | Inferred(RuleId::TargetBuffered)
        | Inferred(RuleId::IssuedRequestDone) => return None,
        Measured(_) | Evidence::Estimated(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Method;

    #[test]
    fn rules_lead_to_their_labs() {
        let of = |rule| lab(Evidence::Inferred(rule));
        assert_eq!(of(RuleId::SpliceFileShared), Some("splice"));
        assert_eq!(of(RuleId::DirectReadFellBack), Some("direct-io"));
        assert_eq!(of(RuleId::ReadReturnsCopied), Some("page-cache"));
        assert_eq!(lab(Evidence::Estimated(Method::CpuClock)), None);
    }
}
