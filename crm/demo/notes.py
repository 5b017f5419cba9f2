"""What volunteers jot down after a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from crm.outreach.rules import Outcome, Reason

ON_REASONS: Mapping[Reason, Sequence[str]] = {
    Reason.NOT_AWARE: (
        "Chưa nghe nói về BHXH tự nguyện, đã để lại tờ rơi.",
        "Tưởng chỉ người đi làm cơ quan mới được đóng.",
        "Đã giải thích mức đóng thấp nhất và phần Nhà nước hỗ trợ, nghe rất chăm chú.",
    ),
    Reason.NO_MONEY: (
        "Đang lo tiền học cho con đầu năm, hẹn sau mùa gặt.",
        "Chợ ế, tháng này chưa dư, gợi ý đóng 3 tháng một lần.",
        "Vừa sửa nhà xong nên chưa có tiền, nói sang tháng xem lại.",
        "Mới mua lợn giống, bán lứa này xong sẽ tính.",
    ),
    Reason.ASK_FAMILY: (
        "Chờ chồng đi làm xa về bàn thêm.",
        "Bảo để hỏi ý kiến con trai cả rồi trả lời.",
        "Vợ ưng, chồng còn ngại, hẹn tối thứ bảy cả nhà có mặt.",
    ),
    Reason.NO_TRUST: (
        "Sợ sau này không rút được, đã lấy ví dụ bà Sâm cùng khu đang lĩnh lương hưu.",
        "Nghe hàng xóm nói lâu quá, chưa tin, cần cán bộ BHXH giải thích thêm.",
    ),
    Reason.CONFUSED_WITH_COMMERCIAL: (
        "Nhầm với bảo hiểm nhân thọ của công ty, đã nói rõ là của Nhà nước.",
        "Trước bị mời mua bảo hiểm nên ngại, đã cho xem tờ rơi của BHXH thị xã.",
    ),
    Reason.PAPERWORK: (
        "Ngại giấy tờ, hẹn mang tờ khai đến nhà điền giúp.",
        "Căn cước đang làm lại, có thẻ sẽ gọi.",
    ),
    Reason.TOO_OLD: (
        "Bảo già rồi đóng không kịp, đã tính thử phương án đóng một lần cho những năm còn thiếu.",
        "Hơn năm mươi tuổi, lo không đủ năm, cần bảng tính cụ thể.",
    ),
    Reason.HAS_COMPULSORY: ("Vừa vào làm ở nhà máy, công ty đã đóng bắt buộc.", "Đang đóng ở công ty giày."),
    Reason.JOINED_ELSEWHERE: ("Đã đóng tự nguyện ở quê vợ bên Hà Trung.",),
    Reason.MOVED_AWAY: ("Cả nhà đã vào Bình Dương làm ăn.", "Chuyển ra Hà Nội ở với con."),
}

ON_OUTCOMES: Mapping[Outcome, Sequence[str]] = {
    Outcome.NOT_MET: (
        "Nhà khóa cửa, hàng xóm bảo đi chợ đến trưa mới về.",
        "Gọi hai lần không nghe máy.",
        "Đi làm ca chiều, nên đến buổi tối.",
        "Chỉ gặp cháu nhỏ, đã gửi tờ rơi.",
        "Vào viện chăm mẹ, tuần sau mới về.",
        "Đang có đám cỗ, không tiện nói chuyện.",
        "Máy bận, đã nhắn người nhà.",
        "Đi phụ hồ ở Hà Trung, cuối tuần mới ở nhà.",
    ),
    Outcome.REFUSED: (
        "Bảo có ruộng, có con cái lo, không cần.",
        "Không muốn nghe thêm, để một thời gian nữa.",
        "Nói thẳng là không tham gia.",
    ),
    Outcome.CONSIDERING: (
        "Hẹn suy nghĩ thêm.",
        "Hỏi nhiều về chuyện rút một lần.",
        "Muốn biết sau này được bao nhiêu một tháng.",
    ),
    Outcome.INTERESTED: (
        "Thích có thẻ BHYT khi về hưu, hẹn đến nhà tính cụ thể.",
        "Hỏi kỹ mức đóng thấp nhất và phần Nhà nước hỗ trợ.",
        "Chị em trong tổ phụ nữ cùng rủ nhau, rất quan tâm.",
        "Muốn đóng 6 tháng một lần cho tiện.",
        "Đang bán hàng nên chỉ nói nhanh, xin số để gọi lại buổi tối.",
        "Hỏi có được đóng gộp cho cả hai vợ chồng không.",
        "Có chị gái đang tham gia nên tin, chỉ chờ chọn mức.",
        "Muốn xem bảng tính lương hưu trước khi quyết.",
        "Đã tính thử trên điện thoại, thấy vừa sức.",
        "Hẹn sau rằm sẽ làm tờ khai.",
    ),
    Outcome.AGREED: (
        "Đồng ý tham gia, hẹn mang căn cước đến điểm thu.",
        "Đã điền xong tờ khai, chờ nộp tiền.",
        "Đồng ý đóng 3 tháng một lần, mức thấp nhất.",
        "Chồng đóng trước, vợ đóng sau tết.",
        "Ưng rồi, chỉ chờ lĩnh tiền công cuối tháng.",
    ),
    Outcome.JOINED: ("Đã nộp tiền ở đại lý thu, có biên lai.", "Nói đã đăng ký xong ở bưu điện."),
}

OF_PARTICIPANTS: Sequence[str] = (
    "Nhắc đóng kỳ tới, bác bảo cuối tháng có tiền sẽ đóng.",
    "Đang đóng đều, hỏi cách xem quá trình đóng trên mạng.",
    "Muốn nâng mức đóng từ kỳ sau.",
    "Cảm ơn đã nhắc, sẽ ra điểm thu trong tuần.",
    "Giới thiệu thêm hai người cùng chợ.",
    "Đã đóng kỳ này, hỏi bao giờ được cấp lại thẻ BHYT.",
    "Đổi số điện thoại, đã sửa trong danh sách.",
    "Tháng này chợ ế, lo không kịp hạn, gợi ý chuyển sang đóng hằng tháng.",
)


def note(random: Random, outcome: Outcome, reasons: Sequence[Reason], *, takes_part: bool) -> str | None:
    """A note, for about half of all conversations."""
    if random.random() < 0.52:
        return None
    if takes_part and outcome is not Outcome.NOT_MET:
        return random.choice(OF_PARTICIPANTS)
    return random.choice(ON_REASONS[reasons[0]] if reasons else ON_OUTCOMES[outcome])
