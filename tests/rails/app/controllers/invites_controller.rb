# frozen_string_literal: true

# Row 22: any signed-in person may invite.
class InvitesController < ApplicationController
  before_action :authenticate_user!

  def index
    render json: Invite.where(user: current_user).pluck(:code)
  end

  def create
    Invite.create!(params.require(:invite).permit(:max_uses).merge(user: current_user))
    redirect_to invites_path
  end

  def destroy
    Invite.where(user: current_user).find(params[:id]).destroy
    redirect_to invites_path
  end
end
